import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import { type Script, sh } from '../../engine/base/sh.ts';
import { effectProgram } from '../../engine/transport/effect-script.ts';
import type { Connection, EffectOptions, EffectResult } from '../../engine/transport/transport.ts';
import {
  type OpenConnection,
  rejection,
  skipWhereMissing,
  someEffect,
  transportsUnderTest,
} from '../support/transports.ts';

const quick = { timeoutMs: 10_000 };

for (const transport of transportsUnderTest) {
  describe(`effects over ${transport.name}`, () => {
    const links: OpenConnection[] = [];
    let folder: string;
    let connection: Connection;
    beforeEach(async function () {
      skipWhereMissing(this, transport);
      folder = mkdtempSync(join(tmpdir(), 'runbook-effect-'));
      connection = await another();
    });
    afterEach(async () => {
      for (const link of links.splice(0)) await link[Symbol.asyncDispose]();
      if (folder) rmSync(folder, { recursive: true, force: true });
    });

    async function another(): Promise<Connection> {
      const link = await transport.open();
      links.push(link);
      return link.connection;
    }

    function effect(script: Script, options: Partial<EffectOptions> = {}, on = connection): Promise<EffectResult> {
      return on.effect(script, { ...quick, ...someEffect(), ...options });
    }

    /** What an effect does that appends a line to a file: how often it was run. */
    const count = (): number => (existsSync(join(folder, 'count')) ? readFileSync(join(folder, 'count')).length : 0);
    const counting = (then: Script): Script => sh`printf x >>${join(folder, 'count')}; ${then}`;

    /** Resolves once the effect has begun. */
    async function begun(): Promise<void> {
      for (let i = 0; count() === 0 && i < 500; i++) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(count(), 1);
    }

    async function isGone(words: string): Promise<boolean> {
      return !(await connection.run(sh`ps ax -o args`, quick)).stdout.includes(words);
    }

    it('give status, both streams and a duration, like other scripts', async () => {
      const result = await effect(sh`echo out; echo err >&2; exit 3`);
      assert.deepInclude(result, { rc: 3, stdout: 'out\n', stderr: 'err\n', lock: 'none' });
      assert.isAtLeast(result.durationMs, 0);
      assert.deepInclude(await effect(sh`umask; echo "$#$LC_ALL"; cat`), { rc: 0, stdout: '0022\n0C\n' });
    });

    it('get stdin and environment, on no command line and in no file', async () => {
      const environment = { TOKEN: new Secret('hush-token'), PATH: '/nowhere' };
      const id = someEffect();
      const script = sh`[ "$TOKEN" ] && read -r line && PATH=/usr/bin:/bin && echo "$TOKEN $line" | tr a-z A-Z
        cat /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c 'hus[h]'
        grep -rl 'hus[h]' /run/runbook /tmp/.runbook-* 2>/dev/null; true`;
      const { stdout } = await effect(script, { ...id, environment, stdin: new Secret('hush-line\n') });
      assert.equal(stdout, 'HUSH-TOKEN HUSH-LINE\n0\n');
    });

    it('are started once: the second time their output and status are told again', async () => {
      const id = someEffect();
      const script = counting(sh`echo out; echo err >&2; exit 7`);
      for (const on of [connection, connection, await another()]) {
        assert.deepInclude(await effect(script, id, on), { rc: 7, stdout: 'out\n', stderr: 'err\n' });
      }
      assert.equal(count(), 1);
    });

    it('are started once by two that try at the same time', async () => {
      const id = someEffect();
      const others = await Promise.all([another(), another(), another()]);
      const results = await Promise.all(others.map((on) => effect(counting(sh`sleep 0.2; echo out; exit 5`), id, on)));
      assert.deepEqual(
        results.map(({ rc, stdout }) => [rc, stdout]),
        Array.from({ length: 3 }, () => [5, 'out\n']),
      );
      assert.equal(count(), 1);
    });

    it('go on when their link goes; who asks later waits for the end', async () => {
      const id = someEffect();
      const on = await another();
      const lost = rejection(effect(counting(sh`sleep 0.7; echo done; exit 6`), id, on));
      await begun();
      await on[Symbol.asyncDispose]();
      assert.equal((await lost).code, 'unreachable');
      assert.deepInclude(await effect(sh`echo never`, id), { rc: 6, stdout: 'done\n' });
      assert.equal(count(), 1);
    });

    it('say 128 + N for a signal, also one that ends the shell they run in', async () => {
      assert.equal((await effect(sh`kill -TERM $$; sh -c 'kill -TERM $$'`)).rc, 143);
      assert.equal((await effect(sh`kill -KILL $$; sleep 1`)).rc, 137);
      assert.equal((await effect(sh`echo on`)).stdout, 'on\n');
    });

    it('whose shell was killed while nobody looked have no status, and are not run again', async () => {
      const id = someEffect();
      const on = await another();
      const lost = rejection(effect(counting(sh`echo half; echo $$ >${join(folder, 'pid')}; sleep 41.5`), id, on));
      await begun();
      await on[Symbol.asyncDispose]();
      await lost;
      await connection.run(sh`kill -KILL -$(cat ${join(folder, 'pid')})`, quick);
      const error = await rejection(effect(sh`echo never`, id));
      assert.equal(error.code, 'effect-unknown');
      assert.match(error.message, /was killed; it last printed: half/);
      assert.equal(count(), 1);
    });

    it('may kill the shell that they were started from', async () => {
      const result = await effect(counting(sh`kill -KILL $PPID; sleep 0.1; echo out; exit 4`));
      assert.deepInclude(result, { rc: 4, stdout: 'out\n' });
      assert.equal(count(), 1);
    });

    it('that start a daemon end with their script', async () => {
      const started = Date.now();
      await effect(sh`sleep 42.5 & echo started`);
      assert.isBelow(Date.now() - started, 20_000);
      assert.isFalse(await isGone('sleep 42.5'));
      await connection.run(sh`pkill -f '^sleep 42.5$'`, quick);
    });

    it('that never end are killed with what they started, and so is one that was only waited for', async () => {
      const id = someEffect();
      const on = await another();
      const lost = rejection(effect(counting(sh`sleep 43.5 & sleep 43.5`), id, on));
      await begun();
      await on[Symbol.asyncDispose]();
      await lost;
      const error = await rejection(effect(sh`echo never`, { ...id, timeoutMs: 400 }));
      assert.equal(error.code, 'timeout');
      assert.match(error.message, /it was killed/);
      assert.isTrue(await isGone('sleep 43.5'));
      const again = await rejection(
        effect(sh`echo halfway; trap '' TERM; while :; do sleep 44.5; done`, { timeoutMs: 300 }),
      );
      assert.match(again.message, /did not end within \d+ ms; it was killed/);
      assert.isTrue(await isGone('sleep 44.5'));
      assert.equal((await effect(sh`echo on`)).stdout, 'on\n');
    });

    it('stop for an AbortSignal, before and while they run', async () => {
      const never = { signal: AbortSignal.abort(new Error('no')) };
      assert.equal((await rejection(effect(counting(sh`:`), never))).code, 'interrupted');
      assert.equal(count(), 0);
      const controller = new AbortController();
      const running = rejection(effect(counting(sh`sleep 45.5`), { signal: controller.signal }));
      await begun();
      controller.abort();
      assert.equal((await running).code, 'interrupted');
      assert.isTrue(await isGone('sleep 45.5'));
    });

    it('that flood their output are stopped, and the stream is named', async () => {
      const id = someEffect();
      for (let i = 0; i < 2; i++) {
        const error = await rejection(effect(sh`yes runbook-effect-flood >&2`, id));
        assert.equal(error.code, 'task-failed');
        assert.match(error.message, /more than 16 MiB on stderr/);
      }
      assert.isTrue(await isGone('yes runbook-effect-flood'));
      await connection.forget([id.id], quick);
    });

    it('are watched by one process of their shell, which ends with it', async () => {
      const on = await another();
      await effect(sh`:`, {}, on);
      const { stdout } = await effect(sh`ps -o pid= --ppid $PPID | grep -vw $$`, {}, on);
      const [watch, ...others] = stdout.trim().split(/\s+/);
      assert.match(watch ?? '', /^\d+$/);
      assert.deepEqual(others, []);
      const isThere = async (): Promise<boolean> => (await connection.run(sh`kill -0 ${watch ?? ''}`, quick)).rc === 0;
      assert.isTrue(await isThere());
      await on[Symbol.asyncDispose]();
      for (let i = 0; i < 500 && (await isThere()); i++) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.isFalse(await isThere());
    });

    it('are not run by a shell that lacks what keeps them', async () => {
      const id = someEffect();
      const program = effectProgram({
        ...id,
        begin: '',
        body: `printf x >>${join(folder, 'count')}`,
        startedIn: undefined,
        verdictMark: 'verdict',
      });
      const { rc } = await connection.run(sh`printf '%s\n' ${program} | sh -s -- none '' '' ${folder}`, quick);
      assert.notEqual(rc, 0);
      assert.equal(count(), 0);
    });

    it('give large output whole', async () => {
      const id = someEffect();
      const { stdout } = await effect(sh`head -c 8000000 /dev/zero | tr '\\0' x`, id);
      assert.equal(stdout.length, 8_000_000);
      await connection.forget([id.id], quick);
    });

    it('are not run, and not said to be, when the host restarted since they may have been', async () => {
      const id = someEffect();
      const error = await rejection(effect(counting(sh`:`), { ...id, startedIn: 'another boot' }));
      assert.equal(error.code, 'effect-unknown');
      assert.match(error.message, /restarted/);
      assert.equal(count(), 0);
      assert.isDefined(connection.boot);
      await effect(counting(sh`:`), { ...id, startedIn: connection.boot });
      assert.equal(count(), 1);
    });

    it('are kept in files that their user alone can read, until they are forgotten', async () => {
      const [one, two, three] = [someEffect(), someEffect(), someEffect()];
      await effect(sh`echo secret`, one);
      await effect(sh`:`, two);
      const find = (id: string): Script =>
        sh`ls -d /run/runbook/effects/${id}* /tmp/.runbook-*/effects/${id}* 2>/dev/null | while read -r f; do stat -c %A "$f"; done`;
      assert.equal((await connection.run(find(one.id), quick)).stdout, '-rw-------\n'.repeat(3));
      await effect(sh`:`, { ...three, forget: [one.id] });
      await connection.forget([two.id], quick);
      assert.equal((await connection.run(find(one.id), quick)).stdout, '');
      assert.equal((await connection.run(find(two.id), quick)).stdout, '');
      assert.notEqual((await connection.run(find(three.id), quick)).stdout, '');
    });

    it('are waited for by their prefix', async () => {
      const { id } = someEffect();
      const on = await another();
      await effect(sh`:`, { id: `${id}-1.1-a` });
      const lost = rejection(
        effect(counting(sh`sleep 0.5; printf x >>${join(folder, 'count')}`), { id: `${id}-1.2-b` }, on),
      );
      await begun();
      await on[Symbol.asyncDispose]();
      await lost;
      const settled = await connection.settle(`${id}-`, quick);
      assert.equal(count(), 2);
      assert.deepEqual([...settled].sort(), [
        [`${id}-1.1-a`, 'ended'],
        [`${id}-1.2-b`, 'ended'],
      ]);
      assert.equal((await connection.settle('no-such-', quick)).size, 0);
    });

    it('of dead runs are removed after a week', async () => {
      const { id } = someEffect();
      await effect(sh`:`, { id });
      const path = `/run/runbook/effects/${id}`;
      if (!existsSync(path)) return;
      execFileSync('touch', ['-d', '8 days ago', path]);
      const on = await another();
      await effect(sh`:`, {}, on);
      for (let i = 0; existsSync(path) && i < 500; i++) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.notInclude(readdirSync('/run/runbook/effects').join(' '), id);
    });

    it('of two runs do not meet on one host: the second is told who holds it', async () => {
      const ann = { runId: 'run-1', holder: 'run run-1 of ann@ops-1 (process 7), since 14:02' };
      const bob = { runId: 'run-2', holder: 'run run-2 of bob@ops-2 (process 8), since 14:03' };
      const [first, second, third] = [await another(), await another(), await another()];
      assert.equal((await effect(sh`:`, { lock: ann }, first)).lock, 'held');
      const id = someEffect();
      const error = await rejection(effect(counting(sh`:`), { ...id, lock: bob }, second));
      assert.equal(error.code, 'host-held');
      assert.match(error.message, /is held by run run-1 of ann@ops-1 \(process 7\), since 14:02$/);
      assert.match(error.hint ?? '', /kill \d+$/);
      assert.equal(count(), 0);
      assert.equal((await effect(sh`:`, { lock: ann }, third)).lock, 'shared');
      assert.equal((await second.run(sh`echo asked`, quick)).stdout, 'asked\n');
      await first[Symbol.asyncDispose]();
      for (let i = 0; i < 100; i++) {
        const taken = await effect(sh`:`, { lock: ann }, third);
        if (taken.lock === 'held') break;
      }
      assert.equal((await rejection(effect(counting(sh`:`), { ...id, lock: bob }, second))).code, 'host-held');
    });

    it('hold the host as long as they run, though their link is gone', async () => {
      const lock = { runId: 'run-1', holder: 'run-1' };
      const on = await another();
      const lost = rejection(effect(counting(sh`sleep 0.8`), { lock }, on));
      await begun();
      await on[Symbol.asyncDispose]();
      await lost;
      const other = { lock: { runId: 'run-2', holder: 'run-2' } };
      assert.equal((await rejection(effect(sh`:`, other))).code, 'host-held');
      for (let i = 0; ; i++) {
        const taken = await effect(sh`:`, other).catch(() => undefined);
        if (taken?.lock === 'held') break;
        assert.isBelow(i, 200);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    });

    it('do not lend the hold to daemons that they start', async () => {
      const lock = { runId: 'run-1', holder: 'run-1' };
      const on = await another();
      await effect(sh`sleep 46.5 >/dev/null 2>&1 &`, { lock }, on);
      await on[Symbol.asyncDispose]();
      for (let i = 0; ; i++) {
        const taken = await effect(sh`:`, { lock: { runId: 'run-2', holder: 'run-2' } }).catch(() => undefined);
        if (taken?.lock === 'held') break;
        assert.isBelow(i, 200);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      await connection.run(sh`pkill -f '^sleep 46.5$'`, quick);
    });
  });
}

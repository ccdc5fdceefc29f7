import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import { type Script, sh } from '../../engine/base/sh.ts';
import type { Connection, EffectOptions, ScriptBehind, ScriptResult } from '../../engine/transport/transport.ts';
import {
  type OpenConnection,
  rejection,
  skipWhereMissing,
  someEffect,
  transportsUnderTest,
} from '../support/transports.ts';

const quick = { timeoutMs: 10_000 };

for (const transport of transportsUnderTest) {
  describe(`a script behind an effect, over ${transport.name}`, () => {
    let link: OpenConnection;
    let connection: Connection;
    let folder: string;
    beforeEach(async function () {
      skipWhereMissing(this, transport);
      folder = mkdtempSync(join(tmpdir(), 'runbook-behind-'));
      link = await transport.open();
      connection = link.connection;
    });
    afterEach(async () => {
      await link?.[Symbol.asyncDispose]();
      if (folder) rmSync(folder, { recursive: true, force: true });
    });

    /** A script to send behind, and its answer: of the last time that it was sent. */
    function behind(script: Script, options: Partial<ScriptBehind> = {}) {
      const sent: Promise<ScriptResult>[] = [];
      const told: ScriptBehind = {
        script,
        ...quick,
        timeLeftMs: () => 60_000,
        ...options,
        onSent: (answer) => sent.push(answer),
      };
      return {
        told,
        answer: async (): Promise<ScriptResult> => (await sent.at(-1)) ?? assert.fail('it was not sent'),
        times: () => sent.length,
      };
    }

    const effect = (script: Script, options: Partial<EffectOptions> = {}) =>
      connection.effect(script, { ...quick, ...someEffect(), ...options });
    const file = (): string => join(folder, 'file');

    it('is run once the effect has ended, with its own output, status and environment', async () => {
      const environment = { TOKEN: new Secret('hush') };
      const asked = behind(sh`cat ${file()}; echo "$TOKEN"; echo behind >&2; exit 4`, { environment });
      const done = await effect(sh`sleep 0.2; echo made >${file()}; echo out; echo err >&2; exit 3`, {
        behind: asked.told,
      });
      assert.deepInclude(done, { rc: 3, stdout: 'out\n', stderr: 'err\n' });
      assert.deepInclude(await asked.answer(), { rc: 4, stdout: 'made\nhush\n', stderr: 'behind\n' });
      assert.equal((await connection.run(sh`echo on`, quick)).stdout, 'on\n');
    });

    it('is not waited for by whoever waits for the effect, but by the next script', async () => {
      const asked = behind(sh`while [ ! -e ${file()} ]; do sleep 0.05; done; echo seen`);
      assert.equal((await effect(sh`echo out`, { behind: asked.told })).stdout, 'out\n');
      const next = connection.run(sh`echo next`, quick);
      assert.equal(existsSync(file()), false);
      await connectionOfItsOwn((other) => other.run(sh`: >${file()}`, quick));
      assert.equal((await asked.answer()).stdout, 'seen\n');
      assert.equal((await next).stdout, 'next\n');
    });

    async function connectionOfItsOwn(work: (other: Connection) => Promise<unknown>): Promise<void> {
      await using other = await transport.open();
      await work(other.connection);
    }

    it('comes behind large output of both, cut into any pieces', async () => {
      const asked = behind(sh`head -c 3000000 /dev/zero | tr '\\0' b`);
      const { stdout } = await effect(sh`head -c 3000000 /dev/zero | tr '\\0' a`, { behind: asked.told });
      assert.equal(stdout, 'a'.repeat(3_000_000));
      assert.equal((await asked.answer()).stdout, 'b'.repeat(3_000_000));
    });

    it('is run after an effect that was killed for its time, and costs it nothing', async () => {
      const asked = behind(sh`echo behind`);
      const error = await rejection(effect(sh`sleep 47.5`, { timeoutMs: 300, behind: asked.told }));
      assert.match(error.message, /did not end within \d+ ms; it was killed/);
      assert.equal((await asked.answer()).stdout, 'behind\n');
      assert.equal((await effect(sh`echo on`)).stdout, 'on\n');
    });

    it('is killed for its own time, which begins when the effect has ended', async () => {
      const asked = behind(sh`echo begun; sleep 48.5`, { timeoutMs: 400 });
      assert.equal((await effect(sh`sleep 0.8; echo out`, { behind: asked.told })).stdout, 'out\n');
      const error = await rejection(asked.answer());
      assert.equal(error.code, 'timeout');
      assert.match(error.message, /it was killed; it last printed: begun/);
      assert.equal((await effect(sh`pgrep -fc '^sleep 48.5' || :`)).stdout, '0\n');
    });

    it('has a time for each of its parts', async () => {
      const mark = 'f'.repeat(32);
      const script = sh`echo ${mark}; echo one; echo ${mark}; sleep 49.5; echo ${mark}`;
      const asked = behind(script, { parts: { mark, timeoutsMs: [300], restMs: 5000 } });
      await effect(sh`:`, { behind: asked.told });
      const error = await rejection(asked.answer());
      assert.equal(error.code, 'timeout');
      assert.match(error.message, /within 300 ms/);
    });

    it('ends with an abort, and nothing of it is left', async () => {
      const controller = new AbortController();
      const asked = behind(sh`echo begun >${file()}; sleep 50.5`, { signal: controller.signal });
      await effect(sh`:`, { behind: asked.told });
      const ended = rejection(asked.answer());
      for (let i = 0; !existsSync(file()) && i < 500; i++) await new Promise((resolve) => setTimeout(resolve, 10));
      controller.abort();
      assert.equal((await ended).code, 'interrupted');
      assert.equal((await effect(sh`pgrep -fc '^sleep 50.5' || :`)).stdout, '0\n');
    });

    it('has to have ended by its deadline, whenever it began', async () => {
      const deadline = Date.now() + 700;
      const asked = behind(sh`sleep 52.5`, { timeLeftMs: () => deadline - Date.now() });
      await effect(sh`sleep 0.5`, { behind: asked.told });
      assert.match((await rejection(asked.answer())).message, /did not end within \d{1,3} ms/);
      assert.equal((await effect(sh`pgrep -fc '^sleep 52.5' || :`)).stdout, '0\n');
    });

    it('holds back what comes next: that is not begun when it was given up meanwhile, or has no time left', async () => {
      const asked = behind(sh`while [ ! -e ${file()} ]; do sleep 0.05; done`);
      await effect(sh`:`, { behind: asked.told });
      const controller = new AbortController();
      const next = sh`: >${join(folder, 'begun')}`;
      const late = rejection(effect(next, { timeoutMs: 300 }));
      assert.match((await late).message, /^the script was not started within \d+ ms: .* was still answering$/);
      const aborted = rejection(effect(next, { signal: controller.signal }));
      controller.abort();
      assert.equal((await aborted).code, 'interrupted');
      await connectionOfItsOwn((other) => other.run(sh`: >${file()}`, quick));
      await asked.answer();
      assert.equal(existsSync(join(folder, 'begun')), false);
      assert.equal((await effect(sh`echo on`)).stdout, 'on\n');
    });

    it('that ignores being told to end is killed, and what waited for it is run then', async () => {
      const asked = behind(sh`trap '' TERM; while :; do sleep 53.5; done`, { timeoutMs: 400 });
      await effect(sh`:`, { behind: asked.told });
      const next = effect(sh`pgrep -fc '^sleep 53.5' || :`, { timeoutMs: 60_000 });
      assert.match((await rejection(asked.answer())).message, /did not end/);
      assert.equal((await next).stdout, '0\n');
    });

    it('is sent again when the effect took the shell with it', async () => {
      const asked = behind(sh`echo behind`);
      const done = await effect(sh`kill -KILL $PPID; sleep 0.1; echo out`, { behind: asked.told });
      assert.equal(done.stdout, 'out\n');
      assert.equal(asked.times(), 2);
      assert.equal((await asked.answer()).stdout, 'behind\n');
    });

    it('sees the file that a put has put, small or large, and through a link', async () => {
      for (const size of [5, 100_000]) {
        const bytes = Buffer.alloc(size, 'x');
        const sha256 = (await import('node:crypto')).createHash('sha256').update(bytes).digest('hex');
        for (const path of ['plain', 'link']) {
          if (path === 'link') await connection.run(sh`ln -sf plain ${join(folder, 'link')}`, quick);
          const asked = behind(sh`wc -c <${join(folder, 'plain')}; ls -A ${folder} | wc -l`);
          const put = { ...quick, sha256, effect: someEffect(), behind: asked.told };
          await connection.put(join(folder, path), { kind: 'bytes', bytes }, put);
          const [count, files] = (await asked.answer()).stdout.split('\n').map(Number);
          assert.deepEqual([count, files], [size, existsSync(join(folder, 'link')) ? 2 : 1]);
        }
        rmSync(join(folder, 'link'));
      }
      assert.equal(readFileSync(join(folder, 'plain'), 'utf8').length, 100_000);
    });
  });
}

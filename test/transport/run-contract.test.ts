import { assert } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import { sh } from '../../engine/base/sh.ts';
import { CutShortError } from '../../engine/transport/shell.ts';
import type { Connection } from '../../engine/transport/transport.ts';
import { type OpenConnection, rejection, skipWhereMissing, transportsUnderTest } from '../support/transports.ts';

const quick = { timeoutMs: 10_000 };

for (const transport of transportsUnderTest) {
  describe(`run over ${transport.name}`, () => {
    let open: OpenConnection;
    let connection: Connection;
    before(async function () {
      skipWhereMissing(this, transport);
      open = await transport.open();
      connection = open.connection;
    });
    after(() => open?.[Symbol.asyncDispose]());

    /** True when no process with these words in its command line is left. */
    async function isGone(words: string): Promise<boolean> {
      const { stdout } = await connection.run(sh`ps ax -o args`, quick);
      return !stdout.includes(words);
    }

    it('gives status, both streams and a duration', async () => {
      const result = await connection.run(sh`echo out; echo err >&2; exit 3`, quick);
      assert.deepInclude(result, { rc: 3, stdout: 'out\n', stderr: 'err\n' });
      assert.isAtLeast(result.durationMs, 0);
    });

    it('pins language, umask and a PATH with sbin', async () => {
      const { stdout } = await connection.run(sh`echo "$LC_ALL"; umask; echo ":$PATH:"`, quick);
      const [language, umask, path] = stdout.split('\n');
      assert.deepEqual([language, umask], ['C', '0022']);
      assert.include(path, ':/usr/sbin:');
    });

    it('gives stdin, text, bytes or a secret, and is empty otherwise', async () => {
      for (const [stdin, seen] of [
        ['text é', 'text é'],
        [Buffer.from([0xc3, 0xa9, 0x0a]), 'é\n'],
        [new Secret('hush'), 'hush'],
        [undefined, ''],
      ] as const) {
        assert.equal((await connection.run(sh`cat`, { ...quick, stdin })).stdout, seen);
      }
    });

    it('carries a large stdin, read or not', async () => {
      const stdin = Buffer.alloc(1024 * 1024, 'x');
      assert.equal((await connection.run(sh`wc -c`, { ...quick, stdin })).stdout.trim(), String(stdin.length));
      assert.equal((await connection.run(sh`echo ignored`, { ...quick, stdin })).stdout, 'ignored\n');
    });

    it('exports the environment to this script only', async () => {
      const environment = { GREETING: `it's "me" $HOME\n` };
      assert.equal(
        (await connection.run(sh`printf %s "$GREETING"`, { ...quick, environment })).stdout,
        environment.GREETING,
      );
      assert.equal((await connection.run(sh`printf %s "$GREETING"`, quick)).stdout, '');
    });

    it('takes a script that is longer than any command line', async () => {
      const text = 'x'.repeat(300_000);
      assert.equal((await connection.run(sh`printf %s ${text} | wc -c`, quick)).stdout.trim(), '300000');
    });

    it('runs calls that overlap one after another, in order', async () => {
      const runs = ['a', 'b', 'c'].map((name) => connection.run(sh`echo begin ${name}; sleep 0.05; date +%s%N`, quick));
      const ends = (await Promise.all(runs)).map((result) => BigInt(result.stdout.split('\n')[1] ?? '0'));
      assert.deepEqual(
        ends,
        [...ends].sort((a, b) => (a < b ? -1 : 1)),
      );
      assert.isAtLeast(Number((ends[2] ?? 0n) - (ends[0] ?? 0n)) / 1e6, 90);
    });

    it('runs a hundred small scripts without losing one', async () => {
      const runs = Array.from({ length: 100 }, (_, i) => connection.run(sh`echo ${i}`, quick));
      const lines = (await Promise.all(runs)).map((result) => result.stdout);
      assert.deepEqual(
        lines,
        Array.from({ length: 100 }, (_, i) => `${i}\n`),
      );
    });

    it('says 128 + N for a signal, and goes on', async () => {
      assert.equal((await connection.run(sh`kill -TERM $$; sleep 1`, quick)).rc, 143);
      assert.equal((await connection.run(sh`echo on`, quick)).stdout, 'on\n');
    });

    it('kills a command that never ends, with what it started, and the shell is usable', async () => {
      const error = await rejection(connection.run(sh`sleep 31.5 & echo halfway; sleep 31.5`, { timeoutMs: 300 }));
      assert.equal(error.code, 'timeout');
      assert.match(error.message, /300 ms.*it was killed.*halfway/);
      assert.isTrue(await isGone('sleep 31.5'));
    });

    it('kills a command that ignores TERM', async () => {
      const script = sh`trap '' TERM; while :; do sleep 32.5; done`;
      const error = await rejection(connection.run(script, { timeoutMs: 300 }));
      assert.equal(error.code, 'timeout');
      assert.match(error.message, /it was killed/);
      assert.isTrue(await isGone('sleep 32.5'));
    });

    it('leaves what an earlier script started in the background', async () => {
      await connection.run(sh`sleep 33.5 >/dev/null 2>&1 </dev/null & echo $! >/dev/null`, quick);
      await rejection(connection.run(sh`sleep 34.5`, { timeoutMs: 200 }));
      assert.isFalse(await isGone('sleep 33.5'));
      await connection.run(sh`pkill -f '^sleep 33.5$'`, quick);
    });

    it('stops for an AbortSignal, before and while the script runs', async () => {
      const already = AbortSignal.abort(new Error('no'));
      assert.equal((await rejection(connection.run(sh`:`, { ...quick, signal: already }))).code, 'interrupted');
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 200);
      const error = await rejection(connection.run(sh`sleep 35.5`, { ...quick, signal: controller.signal }));
      assert.equal(error.code, 'interrupted');
      assert.isTrue(await isGone('sleep 35.5'));
    });

    it('reports a script that kills its shell, and opens a new one', async () => {
      const error = await rejection(connection.run(sh`kill -KILL $PPID; sleep 1`, quick));
      assert.equal(error.code, 'task-failed');
      assert.match(error.message, /ended before the script did/);
      assert.equal((await connection.run(sh`echo on`, quick)).stdout, 'on\n');
    });

    it('stops a script that floods its output, and names the stream', async () => {
      const error = await rejection(connection.run(sh`yes runbook-flood >&2`, quick));
      assert.match(error.message, /more than 16 MiB on stderr/);
      assert.isTrue(await isGone('yes runbook-flood'));
    });

    it('gives each part of a script a time of its own, and tells what was printed before the one that took longer', async () => {
      const parts = { mark: 'f00df00df00d', timeoutsMs: [2000, 2000, 500], restMs: 10_000 };
      const script = sh`for i in 1 2 3; do echo ${parts.mark}; echo "part $i"; sleep 1; done; echo ${parts.mark}; echo half; sleep 38.25`;
      const error = await rejection(connection.run(script, { ...quick, parts }));
      assert.equal(error.code, 'timeout');
      assert.match(error.message, /500 ms.*it was killed.*half/);
      assert.instanceOf(error, CutShortError);
      assert.match((error as CutShortError).printed.stdout, /part 1\n.*part 2\n.*part 3\n.*half\n$/s);
      assert.isTrue(await isGone('sleep 38.25'));
    });

    it('says when the first part has ended, and of one that takes longer what it said itself', async () => {
      let rests = 0;
      const parts = { mark: 'f00df00df00d', timeoutsMs: [2000], restMs: 10_000, onRest: () => void rests++ };
      const mark = sh`echo ${parts.mark} 0; echo ${parts.mark} 0 >&2`;
      const hanging = sh`${mark}; echo half; sleep 38.75`;
      const error = await rejection(connection.run(hanging, { ...quick, timeoutMs: 500, parts }));
      assert.match(error.message, /500 ms; it was killed; it last printed: half$/);
      assert.equal(rests, 0);
      await connection.run(sh`${mark}; echo one; ${mark}; echo two; ${mark}`, { ...quick, parts });
      assert.equal(rests, 1);
    });

    it('gives all parts after the first one a time together', async () => {
      const parts = { mark: 'f00df00df00d', timeoutsMs: [900, 900, 900, 900], restMs: 1200 };
      const script = sh`for i in 0 1 2 3 4; do echo ${parts.mark}; echo "part $i"; sleep 0.6; done; echo ${parts.mark}`;
      const error = await rejection(connection.run(script, { ...quick, parts }));
      assert.match(error.message, /1.2 s.*it was killed/);
      assert.match((error as CutShortError).printed.stdout, /part 1\n/);
      assert.notMatch((error as CutShortError).printed.stdout, /part 4\n/);
    });

    it('tells what a script printed before it flooded', async () => {
      const error = await rejection(connection.run(sh`echo first; yes runbook-flood`, quick));
      assert.match((error as CutShortError).printed.stdout, /^first\nrunbook-flood\n/);
    });

    it('gives large output whole', async () => {
      const { stdout } = await connection.run(sh`head -c 8000000 /dev/zero | tr '\\0' x`, quick);
      assert.equal(stdout.length, 8_000_000);
    });
  });
}

describe('a closed connection', () => {
  it('is unreachable', async () => {
    const open = await transportsUnderTest[0]?.open();
    await open?.[Symbol.asyncDispose]();
    const error = await rejection(open?.connection.run(sh`:`, quick) ?? Promise.resolve());
    assert.equal(error.code, 'unreachable');
    assert.match(error.message, /is closed/);
  });
});

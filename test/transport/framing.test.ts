import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { assert } from 'chai';
import fc from 'fast-check';
import { effectPrelude } from '../../engine/transport/effect-script.ts';
import {
  createFrameReader,
  type EffectRequest,
  type FrameMarks,
  type FrameReader,
  frameEffect,
  frameScript,
  printfWord,
  shellPrelude,
} from '../../engine/transport/framing.ts';

/** Shells that are `/bin/sh` somewhere: Debian, Red Hat, Alpine. */
const shells = [
  { name: 'dash', file: '/usr/bin/dash', args: [] },
  { name: 'bash as sh', file: '/usr/bin/bash', args: ['--posix'] },
  { name: 'busybox', file: '/usr/bin/busybox', args: ['sh'] },
].filter((shell) => existsSync(shell.file));

const limit = 1024 * 1024;

interface Framed {
  readonly rc: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** The protocol against a real shell, without transport around it. */
class Rig {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #shell: string;
  #count = 0;
  #hadEffect = false;

  constructor(shell: (typeof shells)[number], environment: Record<string, string> = {}) {
    this.#child = spawn(shell.file, shell.args, { detached: true, env: { ...process.env, ...environment } });
    this.#shell = [shell.file, ...shell.args].join(' ');
    this.#child.stdin.write(shellPrelude('"$PATH"'));
  }

  run(
    script: string,
    stdin?: Uint8Array,
    environment: Record<string, string> = {},
    effect?: Partial<EffectRequest>,
  ): Promise<Framed> {
    const marks: FrameMarks = { begin: `begin${++this.#count}x`, end: `end${this.#count}x`, verdict: 'VERDICT' };
    const out = createFrameReader(marks, limit);
    const err = createFrameReader(marks, limit);
    return new Promise((resolve) => {
      let open = 2;
      const settle = (): void => {
        if (--open > 0) return;
        this.#child.stdout.removeAllListeners('data');
        this.#child.stderr.removeAllListeners('data');
        resolve({ rc: out.status, stdout: out.content(), stderr: err.content() });
      };
      const take = (reader: FrameReader) => (chunk: Buffer) =>
        reader.status === undefined && reader.push(chunk) !== undefined && settle();
      this.#child.stdout.on('data', take(out));
      this.#child.stderr.on('data', take(err));
      const request = { script, stdin, environment, marks };
      const prelude = this.#hadEffect ? '' : effectPrelude;
      this.#hadEffect ||= effect !== undefined;
      const text = effect
        ? prelude +
          frameEffect({ ...request, id: 'none', startedIn: undefined, lock: undefined, forget: [], ...effect })
        : frameScript(request);
      this.#child.stdin.write(text.replaceAll('/bin/sh', this.#shell));
    });
  }

  close(): void {
    this.#child.stdin.end();
    this.#child.kill('SIGKILL');
  }
}

for (const shell of shells) {
  describe(`frames in ${shell.name}`, () => {
    let rig: Rig;
    beforeEach(() => {
      rig = new Rig(shell);
    });
    afterEach(() => rig.close());

    const table: readonly (readonly [title: string, script: string, rc: number, stdout: string])[] = [
      ['output without a newline at its end', 'printf abc', 0, 'abc'],
      ['empty output', ':', 0, ''],
      ['an empty script', '', 0, ''],
      ['exit', 'echo a; exit 42; echo b', 42, 'a\n'],
      ['exec', 'exec echo gone', 0, 'gone\n'],
      ['a script that reads its input', 'cat; read x; echo "<$x>"', 0, '<>\n'],
      ['a here-document', "cat <<'EOF'\nit's $HOME\nEOF", 0, "it's $HOME\n"],
      ['output that looks like a frame', "printf '\\nend1 0\\nbegin1 7\\n'", 0, '\nend1 0\nbegin1 7\n'],
      ['a trap on exit', "trap 'echo bye' EXIT; false", 1, 'bye\n'],
      ['set -e', 'set -e; false; echo no', 1, ''],
      ['a comment at the end', 'echo a # comment', 0, 'a\n'],
      ['a script that begins with a dash', '-no-such-command 2>/dev/null', 127, ''],
      ['a signal', 'kill -KILL $$', 137, ''],
      ['redirections of its own', 'exec 3>&1; echo three >&3; exec 1>/dev/null; echo no', 0, 'three\n'],
      ['a pipeline', 'printf "b\\na\\n" | sort', 0, 'a\nb\n'],
    ];
    for (const [title, script, rc, stdout] of table) {
      it(`hold ${title}`, async () => {
        const framed = await rig.run(script);
        assert.deepEqual([framed.rc, framed.stdout.toString()], [rc, stdout]);
        assert.equal((await rig.run('echo next')).stdout.toString(), 'next\n');
      });
    }

    for (const script of [
      "echo 'open",
      'if true',
      ') (',
      'cat <<EOF',
      '}',
      '`',
      '"$(',
      'done',
      'exec 0<&- 1>&- 2>&-',
      'exec >/dev/full',
    ]) {
      it(`survive ${JSON.stringify(script)}`, async () => {
        await rig.run(script);
        const next = await rig.run('echo next');
        assert.deepEqual([next.rc, next.stdout.toString(), next.stderr.toString()], [0, 'next\n', '']);
      });
    }

    const effects = table.filter(([title]) => !title.startsWith('output that looks') && title !== 'a signal');
    for (const [title, script, rc, stdout] of effects) {
      it(`hold an effect with ${title}, once`, async () => {
        const id = `frame-${randomBytes(8).toString('hex')}`;
        const told = `${stdout}\nVERDICT ended none ${rc}\n`;
        for (let i = 0; i < 2; i++) {
          const framed = await rig.run(script, undefined, {}, { id });
          assert.deepEqual([framed.rc, framed.stdout.toString(), framed.stderr.toString()], [0, told, '']);
        }
        const next = await rig.run('echo next', undefined, {}, { id: `${id}-2`, forget: [id, `${id}-2`] });
        assert.equal(next.stdout.toString(), 'next\n\nVERDICT ended none 0\n');
      });
    }

    it('give an effect its input, its environment and both of its outputs', async () => {
      const id = `frame-${randomBytes(8).toString('hex')}`;
      const script = 'read -r line; echo "$GIVEN $line"; echo err >&2; trap "" TERM; kill -TERM 0; sleep 0.1; exit 9';
      const framed = await rig.run(script, Buffer.from('in\n'), { GIVEN: "it's" }, { id, forget: [id] });
      assert.equal(framed.stdout.toString(), "it's in\n\nVERDICT ended none 9\n");
      assert.equal(framed.stderr.toString(), 'err\n');
    });

    it('take the lock once, and tell it', async () => {
      const id = `frame-${randomBytes(8).toString('hex')}`;
      const folder = mkdtempSync(join(tmpdir(), 'runbook-lock-'));
      const lock = { runId: 'r1', holder: "run r1 of ann's" };
      rig.close();
      rig = new Rig(shell, { RUNBOOK_HOST_FOLDER: folder });
      for (const n of [1, 2]) {
        const framed = await rig.run(':', undefined, {}, { id: `${id}-${n}`, lock });
        assert.equal(framed.stdout.toString(), '\nVERDICT ended held 0\n');
      }
      const other = new Rig(shell, { RUNBOOK_HOST_FOLDER: folder });
      const framed = await other.run(':', undefined, {}, { id: `${id}-3`, lock: { runId: 'r2', holder: 'two' } });
      assert.match(framed.stdout.toString(), /^\nVERDICT held other r1\trun r1 of ann's\t\d+\n$/);
      other.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('keep nothing of a script for the next one', async () => {
      await rig.run('cd /; x=1; export y=2; umask 0; set -u; echo() { :; }', undefined, { given: '1' });
      const next = await rig.run('echo "$x$y$given"; umask');
      assert.equal(next.stdout.toString(), '\n0022\n');
    });

    it('do not wait for a daemon that holds the output, and keep its late output from the next script', async () => {
      const first = await rig.run('(sleep 0.2; echo late; sleep 5) & echo started');
      assert.equal(first.stdout.toString(), 'started\n');
      await new Promise((resolve) => setTimeout(resolve, 400));
      assert.equal((await rig.run('echo next')).stdout.toString(), 'next\n');
    });

    it('never show a script or its input in a command line', async () => {
      const framed = await rig.run('secret=hush-1; cat >/dev/null; ps ax -o args', Buffer.from('hush-2'));
      assert.notMatch(framed.stdout.toString(), /hush/);
      assert.include(framed.stdout.toString(), 'ps ax');
    });

    it('carry every exit status', async () => {
      for (const rc of [0, 1, 2, 126, 127, 128, 200, 255]) assert.equal((await rig.run(`exit ${rc}`)).rc, rc);
    });

    it('carry any bytes in and out, on both streams', async () => {
      const script =
        'cat >/tmp/runbook-frame.$$; cat /tmp/runbook-frame.$$; cat /tmp/runbook-frame.$$ >&2; rm /tmp/runbook-frame.$$';
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 3000 }),
        fc
          .array(fc.constantFrom('\n', "'", '"', '\\', '%', '%s', '\\0', '-', 'end1x 0', '\0', 'é', '$(id)'), {
            maxLength: 40,
          })
          .map((parts) => Buffer.from(parts.join(''))),
      );
      await fc.assert(
        fc.asyncProperty(bytes, async (data) => {
          const framed = await rig.run(script, data);
          assert.deepEqual(framed.stdout, Buffer.from(data));
          assert.deepEqual(framed.stderr, Buffer.from(data));
          assert.equal(framed.rc, 0);
        }),
        { numRuns: 60 },
      );
    });

    it('quote any environment', async () => {
      const text = fc
        .string({ unit: 'binary', maxLength: 60 })
        .filter((value) => !value.includes('\0') && !/[\ud800-\udfff]/.test(value));
      await fc.assert(
        fc.asyncProperty(text, async (value) => {
          const framed = await rig.run('printf %s "$v"', undefined, { v: value });
          assert.equal(framed.stdout.toString(), value);
        }),
        { numRuns: 60 },
      );
    });

    it('survive any script', async () => {
      const word = fc.constantFrom(
        "'",
        '"',
        '(',
        ')',
        '{',
        '}',
        '`',
        '\\',
        '\n',
        ';',
        '&',
        '|',
        '<',
        '$',
        '#',
        'if',
        'echo a',
        'exit',
        'EOF',
        '<<EOF',
        '&&',
        'x=1',
        'eval',
        'then',
        '!',
      );
      await fc.assert(
        fc.asyncProperty(fc.array(word, { maxLength: 12 }), async (words) => {
          await rig.run(words.join(' '));
          const next = await rig.run('printf ok');
          assert.equal(next.stdout.toString(), 'ok');
        }),
        { numRuns: 80 },
      );
    });
  });
}

describe('a frame reader', () => {
  const marks: FrameMarks = { begin: 'BEGIN', end: 'END', verdict: 'unused' };

  it('finds the same frame however the bytes are cut', () => {
    const whole = Buffer.from('left over\nBEGIN 4711\nout\nEND 1\nput\n\nEND 42\n');
    // The first end mark counts: real ones are random, and nothing can print them before.
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: whole.length - 1 })), (cuts) => {
        const reader = createFrameReader(marks, limit);
        const places = [0, ...[...new Set(cuts)].sort((a, b) => a - b), whole.length];
        const rests = [...places.entries()].map(([i, at]) =>
          reader.push(whole.subarray(at, places[i + 1] ?? whole.length)),
        );
        assert.equal(reader.group, 4711);
        assert.equal(reader.status, 1);
        assert.equal(reader.content().toString(), 'out');
        // What stands behind the end is of the next script.
        assert.equal(Buffer.concat(rests.map((rest) => rest ?? Buffer.alloc(0))).toString(), 'put\n\nEND 42\n');
      }),
    );
  });

  it('keeps only the end of output that passes the limit, and still sees the frame close', () => {
    const reader = createFrameReader(marks, 1000);
    reader.push(Buffer.from('BEGIN 1\n'));
    for (let i = 0; i < 1000; i++) reader.push(Buffer.alloc(1000, 'x'));
    assert.isTrue(reader.isOverLimit);
    assert.isBelow(reader.content().length, 200_000);
    assert.equal(reader.push(Buffer.from('last line\nEND 0\nmore'))?.toString(), 'more');
    assert.isTrue(reader.content().toString().endsWith('last line'));
  });

  it('takes an output without a begin mark as it is (the inner shell did not start)', () => {
    const reader = createFrameReader(marks, limit);
    reader.push(Buffer.from('cannot fork\nEND 2\n'));
    assert.deepEqual([reader.status, reader.content().toString()], [2, 'cannot fork']);
  });
});

describe('printfWord', () => {
  it('is one quoted word of printable ASCII and newlines', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        assert.match(printfWord(bytes), /^'[\n\x20-\x26\x28-\x7e]*'$/);
      }),
    );
  });
});

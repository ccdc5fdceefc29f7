import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { assert } from 'chai';
import { systemClock } from '../../engine/base/clock.ts';
import { Secret } from '../../engine/base/secret.ts';
import { sh } from '../../engine/base/sh.ts';
import { createConnection } from '../../engine/transport/connection.ts';
import { createFileReader } from '../../engine/transport/file-reader.ts';
import type { Become, Connection } from '../../engine/transport/transport.ts';
import {
  type OpenConnection,
  rejection,
  skipWhereMissing,
  someEffect,
  transportsUnderTest,
} from '../support/transports.ts';

/**
 * A stand-in for sudo: the prompt of -p on standard error, the password from standard input, what it says when it
 * refuses. The user decides how it behaves. It enters nobody: the command runs as the same user with RB_USER set.
 * The lab tests the real one.
 */
const standInSudo = `#!/bin/sh
echo call >>"$(dirname "$0")/calls"
while [ $# -gt 0 ]; do
  case $1 in
    -p) prompt=$2; shift 2 ;;
    -u) user=$2; shift 2 ;;
    -n) isSilent=1; shift ;;
    --) shift; break ;;
    *) shift ;;
  esac
done
ask() {
  [ -z "$isSilent" ] || { echo 'sudo: a password is required' >&2; exit 1; }
  printf '%s' "$prompt" >&2
  IFS= read -r password || { echo "sudo: no password was provided" >&2; exit 1; }
}
case $user in
  free) ;;
  asked) ask; [ "$password" = 'it is "right"' ] || { echo 'Sorry, try again.' >&2; ask; echo 'sudo: 2 incorrect password attempts' >&2; exit 1; } ;;
  once) ask; echo 'sudo: 1 incorrect password attempt' >&2; exit 1 ;;
  barred) ask; echo "ops is not in the sudoers file.  This incident will be reported." >&2; exit 1 ;;
  tty) echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1 ;;
  ghost) echo 'sudo: unknown user ghost' >&2; echo 'sudo: error initializing audit plugin sudoers_audit' >&2; exit 1 ;;
  tardy) sleep 1.5 ;;
  late) sleep 17 ;;
  instead) exec /bin/sh ;;
  slow) sleep 0.3; echo 'a lecture' >&2; ask ;;
esac
RB_USER=$user; export RB_USER
exec "$@"
`;

const password = new Secret('it is "right"');
const quick = { timeoutMs: 10_000 };

for (const transport of transportsUnderTest) {
  describe(`become over ${transport.name}`, () => {
    let folder: string;
    let open: OpenConnection;
    let connection: Connection;
    beforeEach(async function () {
      skipWhereMissing(this, transport);
      folder = mkdtempSync(join(tmpdir(), 'runbook-sudo-'));
      writeFileSync(join(folder, 'sudo'), standInSudo, { mode: 0o755 });
      open = await transport.open(folder);
      connection = open.connection;
    });
    afterEach(async () => {
      await open?.[Symbol.asyncDispose]();
      if (folder) rmSync(folder, { recursive: true, force: true });
    });

    const sudo = (user: string, given?: Secret): Become => ({
      user,
      method: 'sudo',
      ...(given && { password: given }),
    });

    it('enters without a password when none is asked for, and keeps one that was given to itself', async () => {
      for (const become of [sudo('free'), sudo('free', password)]) {
        const result = await connection.run(sh`echo "$RB_USER"; cat`, { ...quick, become });
        assert.deepInclude(result, { rc: 0, stdout: 'free\n', stderr: '' });
      }
    });

    it('gives the password when it is asked for, late too, and never shows it', async () => {
      for (const user of ['asked', 'slow']) {
        const become = sudo(user, password);
        const result = await connection.run(sh`echo "$RB_USER"; ps ax -o args; env`, { ...quick, become });
        assert.match(result.stdout, new RegExp(`^${user}\n`));
        assert.notInclude(result.stdout, 'it is "right"');
        assert.equal(result.stderr, '');
      }
    });

    it('enters once for many scripts, beside the login user’s own shell', async () => {
      for (let i = 0; i < 5; i++) {
        await connection.run(sh`:`, { ...quick, become: sudo('asked', password) });
        assert.equal((await connection.run(sh`echo "$RB_USER"`, quick)).stdout, '\n');
      }
      assert.equal(readFileSync(join(folder, 'calls'), 'utf8'), 'call\n');
    });

    it('is not entered at all by who is that user already', async () => {
      const user = execFileSync('id', ['-un']).toString().trim();
      assert.equal((await connection.run(sh`echo on`, { ...quick, become: sudo(user) })).stdout, 'on\n');
      assert.deepEqual(readdirSync(folder), ['sudo']);
    });

    for (const [user, given, message, hint] of [
      ['asked', new Secret('wrong'), /the password is wrong/, /ansible_become_password/],
      ['once', new Secret('wrong'), /the password is wrong/, /ansible_become_password/],
      ['asked', undefined, /a password is needed and none was given/, /--ask-become-pass/],
      ['barred', password, /no right to do so \(ops is not in the sudoers file/, /allow sudo/],
      ['tty', undefined, /it wants a terminal .*requiretty/, undefined],
      ['ghost', undefined, /there is no such user on the host \(sudo: unknown user ghost\)/, undefined],
    ] as const) {
      it(`is refused as ${user} ${given ? 'with a password' : 'without one'}: ${message.source}`, async () => {
        const startedAt = Date.now();
        const error = await rejection(connection.run(sh`:`, { ...quick, become: sudo(user, given) }));
        assert.equal(error.code, 'become-failed');
        assert.match(error.message, /^cannot become \w+ with sudo on /);
        assert.match(error.message, message);
        if (hint) assert.match(error.hint ?? '', hint);
        assert.isBelow(Date.now() - startedAt, 5000);
        assert.equal((await connection.run(sh`echo on`, quick)).stdout, 'on\n');
      });
    }

    it('is refused where the program is not installed', async () => {
      const become: Become = { user: 'free', method: 'doas' };
      const error = await rejection(connection.run(sh`:`, { ...quick, become }));
      assert.match(error.message, /with doas on .*: it is not installed on the host/);
    });

    it('takes its own time: that of the script begins when it is entered', async () => {
      const { stdout } = await connection.run(sh`echo "$RB_USER"`, { timeoutMs: 1000, become: sudo('tardy') });
      assert.equal(stdout, 'tardy\n');
    });

    it('runs nothing in a shell that was started instead of its own', async () => {
      const ran = join(folder, 'ran');
      const error = await rejection(connection.run(sh`touch ${ran}`, { ...quick, become: sudo('instead') }));
      assert.equal(error.code, 'become-failed');
      assert.isFalse(existsSync(ran));
    });

    it('runs nothing once it was given up, though it comes in later', async function () {
      this.timeout(40_000);
      const ran = join(folder, 'ran');
      const error = await rejection(connection.run(sh`touch ${ran}`, { timeoutMs: 30_000, become: sudo('late') }));
      assert.match(error.message, /no answer within 15 s/);
      await new Promise((resolve) => setTimeout(resolve, 4000));
      assert.isFalse(existsSync(ran));
    });

    it('kills what never ends there, through sudo again', async () => {
      const become = sudo('asked', password);
      const error = await rejection(connection.run(sh`sleep 38.5`, { timeoutMs: 300, become }));
      assert.match(error.message, /it was killed/);
      assert.notInclude((await connection.run(sh`ps ax -o args`, quick)).stdout, 'sleep 38.5');
      assert.equal((await connection.run(sh`echo "$RB_USER"`, { ...quick, become })).stdout, 'asked\n');
    });

    it('puts small and large files', async () => {
      const { createHash } = await import('node:crypto');
      for (const size of [10, 300_000]) {
        const bytes = Buffer.alloc(size, 'x');
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        await connection.put(
          join(folder, 'file'),
          { kind: 'bytes', bytes },
          { ...quick, sha256, become: sudo('asked', password), effect: someEffect() },
        );
        assert.isTrue(readFileSync(join(folder, 'file')).equals(bytes));
      }
      assert.deepEqual(readdirSync(folder), ['calls', 'file', 'sudo']);
    });
  });
}

describe('a script of another user', () => {
  /** A host that says nothing. Gives what was written to it. */
  async function writtenFor(become: Become): Promise<{ command: string; written: string }> {
    const stdin = new PassThrough();
    let command = '';
    const connection = createConnection({
      description: 'mute',
      user: 'ops',
      path: '$PATH',
      clock: systemClock,
      readFile: createFileReader(),
      end: async () => undefined,
      async open(line) {
        command = line;
        return {
          stdin,
          stdout: new PassThrough(),
          stderr: new PassThrough(),
          ended: new Promise(() => undefined),
          destroy: () => undefined,
        };
      },
    });
    const over = new AbortController();
    const running = connection.run(sh`the script`, { timeoutMs: 60_000, become, signal: over.signal });
    running.catch(() => undefined);
    // All that is written without an answer is written before anything else happens.
    await new Promise((resolve) => setImmediate(resolve));
    over.abort(new Error('that was all'));
    return { command, written: String(stdin.read() ?? '') };
  }

  it('goes along with the request to become that user, where nobody can ask for a password', async () => {
    for (const method of ['sudo', 'doas'] as const) {
      const { command, written } = await writtenFor({ user: 'root', method });
      assert.match(command, new RegExp(`${method} .*-n `));
      assert.include(written, 'the script');
    }
  });

  it('waits where it could be taken for a password, and so does the password until it is asked for', async () => {
    for (const method of ['sudo', 'su'] as const) {
      const { command, written } = await writtenFor({ user: 'root', method, password });
      assert.notInclude(command, ' -n ');
      assert.equal(written, '');
    }
  });
});

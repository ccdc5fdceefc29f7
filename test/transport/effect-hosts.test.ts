import { execFileSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { assert } from 'chai';
import { sh } from '../../engine/base/sh.ts';
import { createTransport } from '../../engine/transport/create-transport.ts';
import type { Connection, EffectOptions, EffectResult } from '../../engine/transport/transport.ts';
import { rejection, someEffect } from '../support/transports.ts';

describe('a host that cannot keep effects', () => {
  let folder: string;
  let connection: Connection | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'runbook-host-'));
  });
  afterEach(async () => {
    await connection?.[Symbol.asyncDispose]();
    connection = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs an effect that makes a file, on a host that keeps effects in `keep`. */
  async function effect(
    keep: string,
    options: Partial<EffectOptions> = {},
    variables: NodeJS.ProcessEnv = {},
  ): Promise<EffectResult> {
    const environment = { ...process.env, RUNBOOK_HOST_FOLDER: keep, ...variables };
    connection ??= await createTransport({ environment }).connect({
      name: 'here',
      connection: 'local',
      address: 'localhost',
    });
    return connection.effect(sh`printf x >>${join(folder, 'made')}`, {
      timeoutMs: 10_000,
      ...someEffect(),
      ...options,
    });
  }

  async function refusal(keep: string): Promise<string> {
    const error = await rejection(effect(keep));
    assert.equal(error.code, 'task-failed');
    assert.match(error.message, /^not started: local cannot keep its status: /);
    assert.isFalse(existsSync(join(folder, 'made')));
    return error.message;
  }

  it('keeps them where its environment says', async () => {
    await effect(join(folder, 'kept'));
    // How it went, and what it printed on each stream.
    assert.lengthOf(readdirSync(join(folder, 'kept', 'effects')), 3);
  });

  it('keeps them in a folder that another run makes at the same moment', async () => {
    mkdirSync(join(folder, 'bin'));
    // As if the other run came between the look and the mkdir: each of the two is there when it is to be made.
    const mkdir = '#!/bin/sh\ncase $* in *kept | *kept/effects) /bin/mkdir "$@" ;; esac\nexec /bin/mkdir "$@"\n';
    writeFileSync(join(folder, 'bin/mkdir'), mkdir, { mode: 0o755 });
    await effect(join(folder, 'kept'), {}, { PATH: `${join(folder, 'bin')}:${process.env.PATH}` });
    assert.isTrue(existsSync(join(folder, 'made')));
  });

  it('keeps two shells of one run from taking each other for another run, however long a name takes to be written', async () => {
    mkdirSync(join(folder, 'bin'));
    const flock = execFileSync('sh', ['-c', 'command -v flock'], { encoding: 'utf8' }).trim();
    // As on a busy host: who has the lock says so late.
    writeFileSync(join(folder, 'bin/flock'), `#!/bin/sh\n${flock} "$@" && sleep 0.8\n`, { mode: 0o755 });
    const environment = {
      ...process.env,
      RUNBOOK_HOST_FOLDER: join(folder, 'kept'),
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    };
    const lock = { runId: 'run-1', holder: 'run run-1' };
    const open = (): Promise<Connection> =>
      createTransport({ environment }).connect({ name: 'here', connection: 'local', address: 'localhost' });
    await using one = await open();
    await using two = await open();
    const options = { timeoutMs: 10_000, lock };
    const ends = await Promise.all([one, two].map((on) => on.effect(sh`:`, { ...options, ...someEffect() })));
    assert.sameMembers(
      ends.map((end) => end.lock),
      ['held', 'shared'],
    );
  });

  it('in a folder that is not there: nothing is started, and the error says why', async () => {
    assert.match(await refusal(join(folder, 'no', 'such')), /cannot create directory .*No such file/);
  });

  it('in a link, that somebody may have put there: it is refused', async () => {
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync('elsewhere', join(folder, 'link'));
    assert.match(await refusal(join(folder, 'link')), /link belongs to somebody else/);
    assert.deepEqual(readdirSync(join(folder, 'elsewhere')), []);
  });

  it('in a folder of somebody else: it is refused', async function () {
    if (process.getuid?.() !== 0) return this.skip();
    mkdirSync(join(folder, 'theirs'));
    chownSync(join(folder, 'theirs'), 1, 1);
    assert.match(await refusal(join(folder, 'theirs')), /theirs belongs to somebody else/);
    assert.deepEqual(readdirSync(join(folder, 'theirs')), []);
  });

  it('on a disk that is full or read-only: nothing is started, and the error says why', async function () {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk], { stdio: 'ignore' });
    } catch {
      return this.skip();
    }
    try {
      await effect(join(disk, 'kept'));
      rmSync(join(folder, 'made'));
      try {
        writeFileSync(join(disk, 'filler'), Buffer.alloc(100_000));
      } catch {
        // It is full now.
      }
      assert.match(await refusal(join(disk, 'kept')), /No space left on device/);
      // Those of the first effect.
      assert.lengthOf(readdirSync(join(disk, 'kept', 'effects')), 3);
      rmSync(join(disk, 'filler'));
      execFileSync('mount', ['-o', 'remount,ro', disk]);
      assert.match(await refusal(join(disk, 'kept')), /Read-only file system/);
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });

  it('and whose disk fills while one runs still knows how it ended', async function () {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk], { stdio: 'ignore' });
    } catch {
      return this.skip();
    }
    try {
      const id = someEffect();
      await effect(join(disk, 'kept'));
      const filling = sh`head -c 200000 /dev/zero >${join(disk, 'filler')}; exit 5`;
      const options = { timeoutMs: 10_000, ...id };
      for (let i = 0; i < 2; i++) assert.equal((await connection?.effect(filling, options))?.rc, 5);
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });
});

import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from 'chai';
import { sh } from '../../engine/base/sh.ts';
import { createTransport } from '../../engine/transport/create-transport.ts';
import type { Connection, PutOptions } from '../../engine/transport/transport.ts';
import { rejection, someEffect } from '../support/transports.ts';

/** What every host has: POSIX, and readlink -f. */
const usual = ['cat', 'chmod', 'chown', 'cp', 'id', 'mkdir', 'mv', 'ps', 'readlink', 'rm', 'sleep', 'wc'];

describe('a host that lacks programs', () => {
  let folder: string;
  let connection: Connection;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'runbook-minimal-'));
  });
  afterEach(async () => {
    await connection?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  async function connect(more: readonly string[]): Promise<void> {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    for (const name of [...usual, ...more]) {
      const file = ['/usr/bin', '/bin'].map((directory) => join(directory, name)).find((path) => existsSync(path));
      if (file) symlinkSync(file, join(bin, name));
    }
    const transport = createTransport({ environment: { PATH: bin } });
    connection = await transport.connect({ name: 'here', connection: 'local', address: 'localhost' });
  }

  async function put(text: string, options: Partial<PutOptions> = {}): Promise<string> {
    const path = join(folder, 'file');
    const bytes = Buffer.from(text);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await connection.put(path, { kind: 'bytes', bytes }, { sha256, timeoutMs: 5000, effect: someEffect(), ...options });
    assert.equal(readFileSync(path, 'utf8'), text);
    assert.deepEqual(readdirSync(folder), ['bin', 'file']);
    return path;
  }

  it('setsid: a script that never ends is killed with its children all the same', async () => {
    await connect([]);
    assert.deepInclude(await connection.run(sh`echo on; exit 4`, { timeoutMs: 5000 }), { rc: 4, stdout: 'on\n' });
    const error = await rejection(connection.run(sh`sleep 39.5 & sleep 39.25`, { timeoutMs: 300 }));
    assert.equal(error.code, 'timeout');
    assert.match(error.message, /it was killed/);
    const { stdout } = await connection.run(sh`ps ax -o args`, { timeoutMs: 5000 });
    assert.notMatch(stdout, /sleep 39\./);
  });

  it('setsid, head, find and flock: effects are run once, killed with their children, and no other run is kept off', async () => {
    await connect([]);
    const id = someEffect();
    const lock = { runId: 'r1', holder: 'r1' };
    for (let i = 0; i < 2; i++) {
      const result = await connection.effect(sh`echo on; exit 4`, { timeoutMs: 5000, ...id, lock });
      assert.deepInclude(result, { rc: 4, stdout: 'on\n', lock: 'unavailable' });
    }
    const endless = sh`sleep 47.5 & sleep 47.25`;
    const error = await rejection(connection.effect(endless, { timeoutMs: 300, ...someEffect() }));
    assert.equal(error.code, 'timeout');
    const { stdout } = await connection.run(sh`ps ax -o args`, { timeoutMs: 5000 });
    assert.notMatch(stdout, /sleep 47\./);
  });

  for (const program of ['sha256sum', 'shasum', 'openssl'] as const) {
    it(`all digest programs but ${program}`, async function () {
      if (!existsSync(`/usr/bin/${program}`)) return this.skip();
      await connect(['stat', program, 'perl']);
      await put('text');
      await put('much text'.repeat(1_500_000));
    });
  }

  it('any digest program: the file is not put, and the error says why', async () => {
    await connect(['stat']);
    const error = await rejection(put('text'));
    assert.equal(error.code, 'transfer-failed');
    assert.match(error.message, /none of sha256sum, shasum, openssl/);
    assert.deepEqual(readdirSync(folder), ['bin']);
  });

  it('stat: owner and mode are kept all the same', async () => {
    await connect(['sha256sum']);
    const path = join(folder, 'file');
    writeFileSync(path, 'old, and longer than what follows');
    chmodSync(path, 0o751);
    await put('new');
    assert.equal(statSync(path).mode & 0o777, 0o751);
    await put('newer', { mode: '0600' });
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });
});

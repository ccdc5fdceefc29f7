import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
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
import type { Connection, Content, PutOptions, PutResult } from '../../engine/transport/transport.ts';
import {
  type OpenConnection,
  rejection,
  skipWhereMissing,
  someEffect,
  transportsUnderTest,
} from '../support/transports.ts';

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What goes on at the host after the controller has been told. */
async function eventually(isSo: () => void): Promise<void> {
  for (let tries = 100; ; tries--) {
    try {
      return isSo();
    } catch (error) {
      if (tries === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

for (const transport of transportsUnderTest) {
  describe(`put over ${transport.name}`, () => {
    let open: OpenConnection;
    let connection: Connection;
    let folder: string;
    before(async function () {
      skipWhereMissing(this, transport);
      open = await transport.open();
      connection = open.connection;
    });
    after(() => open?.[Symbol.asyncDispose]());
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'runbook-put-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    function put(path: string, bytes: string | Uint8Array, options: Partial<PutOptions> = {}): Promise<PutResult> {
      const buffer = Buffer.from(bytes);
      const content: Content = { kind: 'bytes', bytes: buffer };
      return connection.put(path, content, {
        sha256: digest(buffer),
        timeoutMs: 10_000,
        effect: someEffect(),
        ...options,
      });
    }

    const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

    it('makes a file, 0644 unless told otherwise', async () => {
      assert.deepEqual(await put(join(folder, 'a'), 'text\n'), {});
      await put(join(folder, 'b'), '', { mode: '0600' });
      assert.equal(readFileSync(join(folder, 'a'), 'utf8'), 'text\n');
      assert.deepEqual([mode(join(folder, 'a')), mode(join(folder, 'b'))], ['644', '600']);
      assert.deepEqual(readdirSync(folder), ['a', 'b']);
    });

    it('carries any bytes at every size around the limits', async () => {
      for (const size of [0, 1, 4096, 65_536, 65_537, 1_500_000, 8 * 1024 * 1024]) {
        const bytes = randomBytes(size);
        await put(join(folder, 'x'), bytes);
        assert.isTrue(readFileSync(join(folder, 'x')).equals(bytes), `${size} bytes`);
      }
    });

    it('streams a file of the controller', async () => {
      for (const size of [1000, 3_000_000]) {
        const bytes = randomBytes(size);
        writeFileSync(join(folder, 'source'), bytes);
        const content: Content = { kind: 'file', path: join(folder, 'source'), size };
        await connection.put(join(folder, 'copy'), content, {
          sha256: digest(bytes),
          timeoutMs: 10_000,
          effect: someEffect(),
        });
        assert.isTrue(readFileSync(join(folder, 'copy')).equals(bytes));
      }
    });

    it('says when the controller cannot read the file', async () => {
      for (const size of [10, 100_000]) {
        const content: Content = { kind: 'file', path: join(folder, 'missing'), size };
        const error = await rejection(
          connection.put(join(folder, 'x'), content, {
            sha256: digest(Buffer.alloc(0)),
            timeoutMs: 5000,
            effect: someEffect(),
          }),
        );
        assert.equal(error.code, 'file-unreadable');
        await eventually(() => assert.deepEqual(readdirSync(folder), []));
      }
    });

    const names = [
      'with space',
      "it's",
      '"quoted"',
      '-dash',
      '$HOME `id`',
      'Überfluß ✓',
      'back\\slash',
      'semi;colon',
      'star*',
      'x'.repeat(255),
      'new\nline',
      'ß'.repeat(127),
    ];
    for (const name of names) {
      it(`takes the name ${JSON.stringify(name.slice(0, 20))}`, async () => {
        const path = join(folder, name);
        for (const bytes of [Buffer.from('small'), Buffer.alloc(70_000, 'l')]) {
          await put(path, bytes);
          assert.isTrue(readFileSync(path).equals(bytes));
        }
        assert.deepEqual(readdirSync(folder), [name]);
      });
    }

    it('keeps owner, group and mode of the file that it replaces', async function () {
      if (process.getuid?.() !== 0) return this.skip();
      const path = join(folder, 'kept');
      writeFileSync(path, 'old');
      chownSync(path, 1, 2);
      chmodSync(path, 0o4751);
      await put(path, 'new');
      const { uid, gid } = statSync(path);
      assert.deepEqual([uid, gid, mode(path)], [1, 2, '4751']);
      await put(path, 'newer', { group: '3', mode: '0640' });
      assert.deepEqual([statSync(path).uid, statSync(path).gid, mode(path)], [1, 3, '640']);
    });

    it('gives a new file its owner and group', async function () {
      if (process.getuid?.() !== 0) return this.skip();
      const path = join(folder, 'owned');
      await put(path, 'x', { owner: 'nobody', group: 'daemon', mode: '2750' });
      assert.equal(execFileSync('stat', ['-c', '%U %G %a', path]).toString().trim(), 'nobody daemon 2750');
    });

    it('refuses an owner that does not exist, and leaves nothing', async () => {
      const error = await rejection(put(join(folder, 'x'), 'x', { owner: 'nonesuch' }));
      assert.equal(error.code, 'transfer-failed');
      assert.match(error.message, /cannot give the new file its owner.*nonesuch/);
      assert.deepEqual(readdirSync(folder), []);
    });

    for (const size of [3, 70_000]) {
      it(`refuses ${size} bytes with another digest; the old file stays, nothing is left`, async () => {
        writeFileSync(join(folder, 'x'), 'old');
        const error = await rejection(
          put(join(folder, 'x'), Buffer.alloc(size), { sha256: digest(Buffer.from('other')) }),
        );
        assert.equal(error.code, 'digest-mismatch');
        assert.include(error.message, digest(Buffer.alloc(size)));
        assert.equal(readFileSync(join(folder, 'x'), 'utf8'), 'old');
        assert.deepEqual(readdirSync(folder), ['x']);
      });
    }

    it('refuses what does not pass its validation, and shows why', async () => {
      writeFileSync(join(folder, 'x'), 'old');
      const validate = (path: string) => sh`cat ${path}; echo 'line 7: nonsense' >&2; exit 9`;
      const error = await rejection(put(join(folder, 'x'), 'new', { validate }));
      assert.equal(error.code, 'transfer-failed');
      assert.match(error.message, /did not pass its validation \(status 9\).*new.*line 7: nonsense/s);
      assert.equal(readFileSync(join(folder, 'x'), 'utf8'), 'old');
      assert.deepEqual(readdirSync(folder), ['x']);
    });

    it('shows the validation a file that has its final mode', async () => {
      await put(join(folder, 'x'), 'new', { mode: '0751', validate: (path) => sh`test "$(stat -c %a ${path})" = 751` });
      assert.equal(mode(join(folder, 'x')), '751');
    });

    for (const size of [3, 70_000]) {
      it(`kills a validation that never ends (${size} bytes), and leaves nothing`, async () => {
        const options = { validate: () => sh`trap '' TERM; sleep 36.5`, timeoutMs: 600 };
        const error = await rejection(put(join(folder, 'x'), Buffer.alloc(size), options));
        assert.equal(error.code, 'timeout');
        assert.deepEqual(readdirSync(folder), []);
        assert.notInclude((await connection.run(sh`ps ax -o args`, { timeoutMs: 5000 })).stdout, 'sleep 36.5');
      });
    }

    it('keeps a backup when there is something to keep', async () => {
      const path = join(folder, 'x');
      assert.deepEqual(await put(path, 'one', { backup: true }), {});
      chmodSync(path, 0o640);
      const { backup } = await put(path, 'two', { backup: true });
      assert.match(backup ?? '', /\/x\.\d{8}T\d{6}Z~$/);
      assert.equal(readFileSync(backup ?? '', 'utf8'), 'one');
      assert.deepEqual([mode(backup ?? ''), mode(path)], ['640', '640']);
    });

    it('writes through a symbolic link, which stays', async () => {
      mkdirSync(join(folder, 'real'));
      writeFileSync(join(folder, 'real', 'file'), 'old');
      symlinkSync('real/file', join(folder, 'link'));
      symlinkSync('real/new', join(folder, 'dangling'));
      for (const bytes of [Buffer.from('new'), Buffer.alloc(70_000)]) {
        await put(join(folder, 'link'), bytes);
        assert.isTrue(lstatSync(join(folder, 'link')).isSymbolicLink());
        assert.isTrue(readFileSync(join(folder, 'real', 'file')).equals(bytes));
      }
      await put(join(folder, 'dangling'), 'x');
      assert.equal(readFileSync(join(folder, 'real', 'new'), 'utf8'), 'x');
      assert.deepEqual(readdirSync(join(folder, 'real')), ['file', 'new']);
    });

    it('never shows a reader anything but the old or the new file', async () => {
      const path = join(folder, 'x');
      const contents = [Buffer.alloc(200_000, 'a'), Buffer.alloc(200_000, 'b')] as const;
      await put(path, contents[0]);
      const inode = statSync(path).ino;
      let isDone = false;
      const writer = put(path, contents[1]).finally(() => {
        isDone = true;
      });
      while (!isDone) {
        const seen = readFileSync(path);
        assert.isTrue(contents.some((bytes) => bytes.equals(seen)));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await writer;
      assert.notEqual(statSync(path).ino, inode);
    });

    it('says what is in the way', async () => {
      mkdirSync(join(folder, 'dir'));
      symlinkSync('loop', join(folder, 'loop'));
      execFileSync('mkfifo', [join(folder, 'pipe')]);
      for (const [name, reason] of [
        ['dir', /is a directory/],
        ['no/such/file', /the directory .*no\/such does not exist/],
        ['dir/', /is a directory/],
        ['loop', /leads nowhere/],
        ['pipe', /is not a regular file/],
        ['x'.repeat(256), /cannot .*File name too long/s],
      ] as const) {
        for (const size of [1, 70_000]) {
          const error = await rejection(put(join(folder, '/') + name, Buffer.alloc(size)));
          assert.equal(error.code, 'transfer-failed');
          assert.match(error.message, reason);
        }
      }
      assert.deepEqual(readdirSync(folder), ['dir', 'loop', 'pipe']);
    });

    it('says when the disk is full or read-only, and leaves nothing', async function () {
      const disk = join(folder, 'disk');
      mkdirSync(disk);
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk], { stdio: 'ignore' });
      } catch {
        return this.skip();
      }
      try {
        for (const size of [65_000, 200_000]) {
          writeFileSync(join(disk, 'filler'), Buffer.alloc(20_000));
          const error = await rejection(put(join(disk, 'x'), Buffer.alloc(size)));
          assert.equal(error.code, 'transfer-failed');
          assert.match(error.message, /No space left on device/);
          assert.deepEqual(readdirSync(disk), ['filler']);
        }
        execFileSync('mount', ['-o', 'remount,ro', disk]);
        const error = await rejection(put(join(disk, 'x'), 'x'));
        assert.match(error.message, /Read-only file system/);
      } finally {
        execFileSync('umount', ['-l', disk]);
      }
    });

    it('stops for an AbortSignal and leaves nothing', async () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 100);
      const options = { signal: controller.signal, validate: () => sh`sleep 37.5` };
      assert.equal((await rejection(put(join(folder, 'x'), 'x', options))).code, 'interrupted');
      assert.deepEqual(readdirSync(folder), []);
      assert.isFalse(existsSync(join(folder, 'x')));
    });
  });
}

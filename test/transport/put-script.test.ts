import { spawnSync } from 'node:child_process';
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { fillScript, type PutPlan, streamCommand } from '../../engine/transport/put-script.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';

for (const shell of ['sh', 'bash', 'busybox sh']) {
  const [program = '', ...args] = shell.split(' ');
  const isThere = spawnSync(program, [...args, '-c', ':']).status === 0;
  /** A machine without the shell cannot show it; .ci/run installs those that a Debian may lack. */
  function needsShell(this: Mocha.Context): void {
    if (!isThere) this.skip();
  }

  describe(`a temporary file that ${shell} fills`, () => {
    before(needsShell);

    const fill = (folder: string, bytes: Uint8Array, then: string) => {
      const begin = `temporary=.filled folder=.\nfail() { printf '%s\\n' "$1" >&2; exit 70; }`;
      const input = `${begin}\n${fillScript(bytes)}\n${then}`;
      return spawnSync(program, [...args, '-s'], { cwd: folder, input, encoding: 'utf8' });
    };

    it('has just the bytes, and is for its owner alone; what comes after has the usual umask', () =>
      withTemporaryFolder(async (folder) => {
        const bytes = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * 7 + (i >> 8)) % 256));
        const { stdout, stderr } = fill(folder, bytes, 'ls -l .filled | cut -c1-10; umask; cp .filled kept');
        expect([stdout, stderr]).to.deep.equal(['-rw-------\n0022\n', '']);
        expect((await readFile(join(folder, 'kept'))).equals(bytes)).to.equal(true);
        expect(await readdir(folder)).to.deep.equal(['kept']);
      }));

    it('is not written where its name is taken, nor is what a link of that name leads to', () =>
      withTemporaryFolder(async (folder) => {
        await writeFile(join(folder, 'victim'), 'as it was');
        await symlink('victim', join(folder, '.filled'));
        const { status, stderr } = fill(folder, Buffer.from('new'), '');
        expect(status).to.equal(70);
        expect(stderr).to.match(/cannot write to \.\n$/);
        expect(await readFile(join(folder, 'victim'), 'utf8')).to.equal('as it was');
      }));
  });

  describe(`a temporary file that is streamed to ${shell}`, () => {
    before(needsShell);

    const stream = (folder: string, bytes: Uint8Array, size = bytes.length) => {
      const command = streamCommand({ target: './streamed', temporary: '.streamed' } as PutPlan, size).replace(
        '/bin/sh',
        shell,
      );
      return spawnSync(program, [...args, '-c', command], { cwd: folder, input: bytes, encoding: 'utf8' });
    };

    it('has just the bytes, and is for its owner alone', () =>
      withTemporaryFolder(async (folder) => {
        const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) % 256));
        const { status, stdout, stderr } = stream(folder, bytes);
        expect([status, stdout, stderr]).to.deep.equal([0, '', '']);
        expect((await readFile(join(folder, '.streamed'))).equals(bytes)).to.equal(true);
        expect((await stat(join(folder, '.streamed'))).mode & 0o777).to.equal(0o600);
      }));

    it('that was cut short is removed', () =>
      withTemporaryFolder(async (folder) => {
        const { status, stderr } = stream(folder, Buffer.from('half of'), 14);
        expect([status, stderr]).to.deep.equal([70, '7 bytes arrived of 14\n']);
        expect(await readdir(folder)).to.deep.equal([]);
      }));

    it('is not written where its name is taken, nor is what a link of that name leads to', () =>
      withTemporaryFolder(async (folder) => {
        await writeFile(join(folder, 'victim'), 'as it was');
        await symlink('victim', join(folder, '.streamed'));
        const { status, stderr } = stream(folder, Buffer.from('new'));
        expect(status).to.equal(70);
        expect(stderr).to.match(/(cannot overwrite|File exists).*\ncannot create a file in \.\n$/s);
        expect(await readFile(join(folder, 'victim'), 'utf8')).to.equal('as it was');
        expect(await readdir(folder)).to.have.members(['victim', '.streamed']);
      }));
  });
}

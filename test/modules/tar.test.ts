import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type TarEntry, walkTar } from '../../modules/lib/tar.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { failureOf } from './support.ts';

async function listed(path: string): Promise<{ entry: TarEntry; sha256: string }[]> {
  const found: { entry: TarEntry; hash: ReturnType<typeof createHash> }[] = [];
  await walkTar(path, (entry) => {
    const hash = createHash('sha256');
    found.push({ entry, hash });
    return (bytes) => hash.update(bytes);
  });
  return found.map(({ entry, hash }) => ({ entry, sha256: hash.digest('hex') }));
}

describe('the reader of tar archives', () => {
  const long = `${'long/'.repeat(40)}name`;
  const big = Buffer.alloc(1_500_000, 'x');

  for (const format of ['gnu', 'posix', 'ustar', 'v7']) {
    for (const flag of ['-cf', '-czf']) {
      it(`reads what GNU tar writes in ${format} format${flag === '-czf' ? ', compressed' : ''}`, async () => {
        await withTemporaryFolder(async (folder) => {
          const tree = join(folder, 'tree');
          // ustar holds 255 bytes in two fields, v7 only 100.
          const name = format === 'v7' ? 'short' : long;
          await mkdir(join(tree, name, '..'), { recursive: true });
          await writeFile(join(tree, name), big, { mode: 0o755 });
          await writeFile(join(tree, 'empty'), '');
          await symlink('empty', join(tree, 'link'));
          const archive = join(folder, 'a.tar');
          execFileSync('tar', [`--format=${format}`, flag, archive, '-C', tree, '.']);
          const entries = await listed(archive);
          const one = (path: string) => entries.find(({ entry }) => entry.name === `./${path}`);
          expect(one(name)?.entry).to.include({ type: 'file', size: big.length, mode: 0o755 });
          expect(one(name)?.sha256).to.equal(createHash('sha256').update(big).digest('hex'));
          expect(one('empty')?.entry).to.include({ type: 'file', size: 0 });
          expect(one('link')?.entry).to.include({ type: 'link', target: 'empty' });
        });
      });
    }
  }

  it('leaves other compressions to the host', async () => {
    await withTemporaryFolder(async (folder) => {
      const path = join(folder, 'x.tar.xz');
      await writeFile(path, Buffer.from('fd377a585a000004', 'hex'));
      expect(await walkTar(path, () => undefined)).to.equal(false);
    });
  });

  it('refuses an archive that is cut short', async () => {
    await withTemporaryFolder(async (folder) => {
      await writeFile(join(folder, 'big'), big);
      execFileSync('tar', ['-cf', join(folder, 'a.tar'), '-C', folder, 'big']);
      execFileSync('truncate', ['-s', '600000', join(folder, 'a.tar')]);
      expect(await failureOf(walkTar(join(folder, 'a.tar'), () => undefined))).to.match(
        /not a sound tar archive: it ends too early/,
      );
    });
  });
});

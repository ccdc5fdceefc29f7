import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type AppendFile, openAppendFile } from '../../engine/run/journal/append-file.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';

/** A file on a disk whose every sync takes until it is told how it went; `synced` is what the file held when each began. */
function withDisk(
  body: (
    file: AppendFile,
    disk: { synced: string[]; end: (error?: Error) => void },
    text: () => string,
  ) => Promise<void>,
): Promise<void> {
  return withTemporaryFolder(async (folder) => {
    const path = join(folder, 'lines');
    const text = (): string => readFileSync(path, 'utf8');
    const [synced, waiting]: [string[], ((error?: Error) => void)[]] = [[], []];
    const file = openAppendFile(
      path,
      (problem) => {
        throw problem;
      },
      () =>
        new Promise((resolve, reject) => {
          synced.push(text());
          waiting.push((error) => (error ? reject(error) : resolve()));
        }),
    );
    await body(file, { synced, end: (error) => waiting.shift()?.(error) }, text);
    file.close();
  });
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a file of the journal', () => {
  it('is synced once for all who ask, with all that they appended before', () =>
    withDisk(async (file, disk) => {
      const all = ['a', 'b', 'c'].map((line) => {
        file.append(line);
        return file.synced();
      });
      await turn();
      expect(disk.synced).to.deep.equal(['a\nb\nc\n']);
      disk.end();
      await Promise.all(all);
    }));

  it('is synced anew for those who ask while the disk is at work: what they appended is not in it', () =>
    withDisk(async (file, disk) => {
      const ends: string[] = [];
      const ask = (line: string): void => {
        file.append(line);
        void file.synced().then(() => ends.push(line));
      };
      ask('a');
      await turn();
      ask('b');
      ask('c');
      await turn();
      expect(disk.synced).to.deep.equal(['a\n']);
      disk.end();
      await turn();
      expect(ends).to.deep.equal(['a']);
      expect(disk.synced).to.deep.equal(['a\n', 'a\nb\nc\n']);
      disk.end();
      await turn();
      expect(ends).to.deep.equal(['a', 'b', 'c']);
    }));

  it('that cannot be synced says so to all who ask from then on, and gets nothing more', () =>
    withDisk(async (file, disk, text) => {
      const first = file.synced().catch((error: Error) => error.message);
      await turn();
      file.append('a');
      const second = file.synced().catch((error: Error) => error.message);
      disk.end(new Error('EIO'));
      expect(await Promise.all([first, second])).to.deep.equal(['EIO', 'EIO']);
      expect(() => file.sync()).to.throw('EIO');
      expect(text()).to.equal('');
      expect(disk.synced).to.have.length(1);
    }));
});

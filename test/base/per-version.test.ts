import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { oncePerVersion } from '../../engine/base/per-version.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';

/** What was written in this moment could be written again in it. */
const settled = (): Promise<void> => setTimeout(50);

describe('what is made of a file of the controller', () => {
  it('is made once, and anew when the file is another or is gone', () =>
    withTemporaryFolder(async (folder) => {
      const file = join(folder, 'a');
      let made = 0;
      const make = oncePerVersion(async () => ++made);
      await writeFile(file, 'one');
      await settled();
      expect(await Promise.all([make(file), make(file), make(file)])).to.deep.equal([1, 1, 1]);
      await writeFile(file, 'two');
      await settled();
      expect(await make(file)).to.equal(2);
      await rm(file);
      expect(await make(file)).to.equal(3);
    }));

  it('is tried again after it could not be made', () =>
    withTemporaryFolder(async (folder) => {
      const file = join(folder, 'a');
      await writeFile(file, 'one');
      await settled();
      const outcomes = [Promise.reject(new Error('too many open files')), Promise.resolve('made')];
      for (const outcome of outcomes) outcome.catch(() => undefined);
      const make = oncePerVersion(() => outcomes.shift() ?? Promise.reject(new Error('made twice')));
      const first: unknown = await make(file).catch((error: unknown) => error);
      expect(String(first)).to.contain('too many open files');
      expect(await make(file)).to.equal('made');
      expect(await make(file)).to.equal('made');
    }));

  it('is kept of the files that were asked for last', () =>
    withTemporaryFolder(async (folder) => {
      const files = Array.from({ length: 257 }, (_, i) => join(folder, String(i)));
      for (const file of files) await writeFile(file, 'x');
      await settled();
      const made: string[] = [];
      const make = oncePerVersion(async (path) => void made.push(basename(path)));
      for (const file of files.slice(0, 256)) await make(file);
      await make(files[0] ?? '');
      await make(files[256] ?? '');
      made.length = 0;
      for (const file of [files[0], files[2], files[256], files[1]]) await make(file ?? '');
      // The second was asked for longest ago when there was one too many.
      expect(made).to.deep.equal(['1']);
    }));
});

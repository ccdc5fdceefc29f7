import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { RunbookError } from '../../../engine/base/errors.ts';
import { openReportFile } from '../../../engine/report/html/report-file.ts';
import { withTemporaryFolder } from '../../support/module-rig.ts';

describe('report file', () => {
  it('leaves the former report in place until the new one is whole', () =>
    withTemporaryFolder(async (folder) => {
      const path = join(folder, 'report.html');
      await writeFile(path, 'former');
      const file = openReportFile(path);
      expect([await readFile(path, 'utf8'), await readdir(folder)]).to.deep.equal(['former', ['report.html']]);
      file.write('new');
      expect([await readFile(path, 'utf8'), await readdir(folder)]).to.deep.equal(['new', ['report.html']]);
    }));

  it('writes to where a link leads, and keeps the link', () =>
    withTemporaryFolder(async (folder) => {
      await writeFile(join(folder, 'real.html'), '');
      await symlink('real.html', join(folder, 'link.html'));
      openReportFile(join(folder, 'link.html')).write('new');
      expect(await readFile(join(folder, 'real.html'), 'utf8')).to.equal('new');
      expect(await readlink(join(folder, 'link.html'))).to.equal('real.html');
    }));

  it('says at once what cannot be written, and leaves nothing behind', () =>
    withTemporaryFolder(async (folder) => {
      await mkdir(join(folder, 'folder'));
      await writeFile(join(folder, 'file'), '');
      const problem = (path: string): string => {
        try {
          openReportFile(path);
          return '';
        } catch (error) {
          expect(error).to.be.instanceOf(RunbookError).and.include({ code: 'usage' });
          return (error as Error).message.replace(folder, '');
        }
      };
      const said = ['folder', 'no/such/report.html', 'file/report.html'].map((path) => problem(join(folder, path)));
      expect(said).to.deep.equal([
        'the report cannot be written to /folder: it is there, and no file',
        'the report cannot be written to /no/such/report.html: there is no such file',
        'the report cannot be written to /file/report.html: a part of its path is no folder',
      ]);
      expect(problem('/dev/null')).to.include('it is there, and no file');
      expect((await readdir(folder)).sort()).to.deep.equal(['file', 'folder']);
    }));
});

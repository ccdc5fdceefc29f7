import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import template from '../../modules/file-template.ts';
import {
  applyLocally,
  diffOf,
  localController,
  output,
  predicted,
  withTemporaryFolder,
} from '../support/module-rig.ts';
import { failureOf, mistakesOf, modeOf } from './support.ts';

describe('file-template', () => {
  it('renders with the variables of the task and its own over them, then changes nothing', () =>
    withTemporaryFolder(async (folder) => {
      await mkdir(join(folder, 'templates'));
      await writeFile(join(folder, 'templates', 'x.hbs'), '{{ who }} on {{ where }}\n');
      const controller = localController(folder, { who: 'runc', where: 'n1' });
      const args = { src: 'x.hbs', dest: join(folder, 'out'), vars: { where: 'n2' }, mode: '0640' };
      const first = await applyLocally(template, args, { controller });
      expect(first.changes).to.containSubset([{ path: 'content', before: null, after: 'runc on n2\n' }]);
      expect(await readFile(join(folder, 'out'), 'utf8')).to.equal('runc on n2\n');
      expect(await modeOf(join(folder, 'out'))).to.equal('0640');
      expect((await applyLocally(template, args, { controller })).changes).to.deep.equal([]);
      const mode = await applyLocally(template, { ...args, mode: '0600' }, { controller });
      expect(mode.changes.map((c) => c.path)).to.deep.equal(['mode']);
    }));

  it('keeps the file when validate refuses the new one', () =>
    withTemporaryFolder(async (folder) => {
      await writeFile(join(folder, 'x.hbs'), 'bad\n');
      await writeFile(join(folder, 'out'), 'good\n');
      const args = { src: 'x.hbs', dest: join(folder, 'out'), validate: 'grep -q good %s', backup: true };
      const controller = localController(folder);
      expect(await failureOf(applyLocally(template, args, { controller }))).to.contain('validation failed');
      expect(await readFile(join(folder, 'out'), 'utf8')).to.equal('good\n');
    }));

  it('says that the folder is missing, unless an earlier task makes it', () =>
    withTemporaryFolder(async (folder) => {
      await writeFile(join(folder, 'x.hbs'), 'text\n');
      const controller = localController(folder);
      const args = { src: 'x.hbs', dest: '/opt/x/y' };
      const answer = output('real=/opt/x/y\ntype=\nmissing=/opt/x\n');
      expect(await failureOf(diffOf(template, args, answer, { controller }))).to.equal(
        'the folder /opt/x does not exist; create it with the file module first',
      );
      const made = predicted({ 'file:/opt/x': { exists: true, type: 'directory' } });
      expect(await diffOf(template, args, answer, { controller, predicted: made })).to.have.length(3);
    }));

  it('refuses a dest that is no file', () => {
    expect(mistakesOf(template, { src: 'x', dest: '/etc/' })).to.deep.equal([
      '"dest" must name the file, not its folder',
    ]);
    expect(mistakesOf(template, { src: 'x', dest: 'etc' }).join()).to.contain('absolute path');
  });
});

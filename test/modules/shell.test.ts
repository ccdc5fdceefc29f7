import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import shell from '../../modules/shell.ts';
import { applyLocally, diffOf, output, stepsOf, withTemporaryFolder } from '../support/module-rig.ts';
import { failureOf, mistakesOf } from './support.ts';

describe('shell', () => {
  it('gives the text to sh as one word', async () => {
    const steps = await stepsOf(shell, { cmd: 'a | b; c "$d"' }, output(''));
    expect(steps).to.containSubset([{ kind: 'exec', script: { text: `sh -c 'a | b; c "$d"'` } }]);
  });

  it('shows the whole text as the change', async () => {
    const diff = await diffOf(shell, { cmd: 'a\nb\n' }, output(''));
    expect(diff).to.deep.equal([{ path: 'command', before: null, after: 'a\nb\n', resource: 'command' }]);
  });

  it('needs a text', () => expect(mistakesOf(shell, {})).to.deep.equal(['"cmd" is required']));

  it('runs pipes in its folder until the guard is content', () =>
    withTemporaryFolder(async (folder) => {
      await mkdir(join(folder, 'sub'));
      await writeFile(join(folder, 'sub', 'a'), 'x\n');
      const args = { cmd: 'cat a | tr x y >b', chdir: join(folder, 'sub'), unless: 'grep -q y b' };
      expect((await applyLocally(shell, args)).changes).to.have.length(1);
      expect((await applyLocally(shell, args)).changes).to.deep.equal([]);
    }));

  it('fails with the last words on stderr', async () => {
    expect(await failureOf(applyLocally(shell, { cmd: 'echo no luck >&2; exit 4' }))).to.equal(
      '"echo no luck >&2; exit 4": exit status 4\nno luck',
    );
    expect(await failureOf(applyLocally(shell, { cmd: 'exit 4', reads: true }))).to.contain('exit status 4');
    expect((await applyLocally(shell, { cmd: 'exit 4', reads: true, ok_codes: [4] })).values.rc).to.equal(4);
  });
});

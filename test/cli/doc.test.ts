import { expect } from 'chai';
import { keywordDoc } from '../../engine/cli/keyword-doc.ts';
import { keywords } from '../../engine/language/keywords.ts';
import { createPaint } from '../../engine/report/paint.ts';
import { runCli } from '../support/cli.ts';

describe('runbook doc', () => {
  it('explains a keyword: what it takes, where it stands, what it means, how Ansible differs, how it is written', async () => {
    const { exitCode, stdout } = await runCli(['doc', 'run_once']);
    expect(exitCode).to.equal(0);
    expect(stdout).to.equal(
      [
        'run_once: a keyword',
        'takes true, false or batch',
        'stands on a task, a handler',
        '',
        'true: runs on the first host of the run, and all hosts have its result. batch:',
        'once in every batch.',
        '',
        'Differs from Ansible',
        '  In Ansible true means once in every batch.',
        '',
        'Example',
        '  run_once: true',
        '  # or:',
        '  run_once: batch',
        '',
      ].join('\n'),
    );
  });

  it('gives the same to programs', async () => {
    const { stdout } = await runCli(['doc', 'serial', '--output', 'json']);
    expect(JSON.parse(stdout)).to.include({ name: 'serial', takes: 'serial', differs: 'The window is ours.' });
  });

  it('explains every keyword', () => {
    for (const keyword of keywords) {
      const text = keywordDoc(keyword, { paint: createPaint(false), columns: 80 });
      expect(text, keyword.name).to.contain('\ntakes ').and.to.contain('\nstands ').and.not.to.contain('undefined');
    }
  });

  it('says what to do instead of a keyword of Ansible', async () => {
    const { exitCode, stderr } = await runCli(['doc', 'with_items']);
    expect(exitCode).not.to.equal(0);
    expect(stderr).to.equal('runbook: there is no module or keyword "with_items"\n  hint: use loop\n');
  });

  it('finds what a misspelt name means, among modules and keywords', async () => {
    expect((await runCli(['doc', 'tar_instal'])).stderr).to.contain('did you mean "tar-install"?');
    expect((await runCli(['doc', 'serail'])).stderr).to.contain('did you mean "serial"?');
  });
});

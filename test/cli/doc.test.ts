import { expect } from 'chai';
import { keywordDoc } from '../../engine/cli/keyword-doc.ts';
import { type Keyword, keywords } from '../../engine/language/keywords.ts';
import { createPaint } from '../../engine/report/paint.ts';
import { runCli } from '../support/cli.ts';

const style = { paint: createPaint(false), columns: 80 };

describe('runbook doc', () => {
  it('explains a keyword: what it takes, where it stands, what it means, how Ansible differs, how it is written', () => {
    const keyword: Keyword = {
      name: 'run_once',
      on: ['task', 'handler'],
      takes: 'run_once',
      summary: 'Runs on one host, and all the other hosts have its result, as if it had run on them.',
      differs: 'Once is once.',
    };
    expect(keywordDoc(keyword, style)).to.equal(
      [
        'run_once: a keyword',
        'takes true, false or batch',
        'stands on a task, a handler',
        '',
        'Runs on one host, and all the other hosts have its result, as if it had run on',
        'them.',
        '',
        'Differs from Ansible',
        '  Once is once.',
        '',
        'Example',
        '  run_once: true',
        '  # or:',
        '  run_once: batch',
        '',
      ].join('\n'),
    );
  });

  it('has keywords beside modules, for people and for programs', async () => {
    const { exitCode, stdout } = await runCli(['doc', 'serial']);
    expect(exitCode).to.equal(0);
    const serial = keywords.find(({ name }) => name === 'serial');
    expect(stdout).to.equal(serial && keywordDoc(serial, style));
    const asJson = await runCli(['doc', 'serial', '--output', 'json']);
    expect(JSON.parse(asJson.stdout)).to.deep.include(serial);
  });

  it('explains every keyword', () => {
    for (const keyword of keywords) {
      const text = keywordDoc(keyword, style);
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

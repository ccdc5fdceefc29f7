import { expect } from 'chai';
import type { Log } from 'sarif';
import { checkRules } from '../../engine/language/check/findings.ts';
import { runCli } from '../support/cli.ts';
import { lint } from '../support/lint.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { writeFiles } from '../support/play.ts';
import { expectSarif } from '../support/sarif-schema.ts';

const bad = {
  'play.yaml':
    '- hosts: web\n  vars: { on: yes }\n  tasks:\n    - debug: { message: "{{ prot }}" }\n      when: facts.os.famly == "x"\n',
  'hosts.ini': '[web]\nh1\n[web:vars]\nport=80\n',
};

const args = ['play.yaml', '-i', 'hosts.ini'];

describe('runbook lint', () => {
  it('says what is wrong, sorted by place, with excerpts and a total, and ends with 5', async () => {
    const { text, exitCode } = await lint(bad, args);
    const places = [...text.matchAll(/^play\.yaml:(\d+):\d+: (error|warning)/gm)].map(([, line, kind]) => [line, kind]);
    expect(places).to.deep.equal([
      ['2', 'warning'],
      ['4', 'error'],
      ['5', 'error'],
    ]);
    expect(text)
      .to.contain('  hint: did you mean "port"?')
      .and.match(/2 errors, 1 warning\n$/);
    expect(exitCode).to.equal(5);
  });

  it('ends with 0 when nothing is wrong, doubts aside', async () => {
    const play = '- hosts: web\n  vars: { sure: yes }\n  tasks: []\n';
    const { text, exitCode } = await lint({ ...bad, 'play.yaml': play }, args);
    expect(text).to.contain('no errors, 1 warning');
    expect(exitCode).to.equal(0);
  });

  it('tells the mistakes of playbook and inventory together, and of several playbooks', async () => {
    const files = { ...bad, 'hosts.ini': '[web\nh1\n', 'other.yaml': '- hosts: web\n  task: []\n' };
    const { text } = await lint(files, ['play.yaml', 'other.yaml', '-i', 'hosts.ini']);
    expect(text).to.contain('hosts.ini:1:').and.contain('other.yaml:2:').and.contain('play.yaml:5:');
  });

  it('needs a playbook that is there', async () => {
    const { text, exitCode } = await lint({}, ['nosuch.yaml']);
    expect(text).to.contain('cannot read the playbook nosuch.yaml');
    expect(exitCode).to.equal(5);
  });

  it('gives programs the same as JSON', async () => {
    const { text } = await lint(bad, [...args, '--output', 'json']);
    const { errors, warnings, findings } = JSON.parse(text) as { errors: number; warnings: number; findings: object[] };
    expect([errors, warnings, findings.length]).to.deep.equal([2, 1, 3]);
    expect(findings[1]).to.deep.equal({
      severity: 'error',
      rule: 'undefined-name',
      message: '"prot" is not defined',
      hint: 'did you mean "port"?',
      file: 'play.yaml',
      line: 4,
      column: 29,
    });
  });

  it('gives code scanning SARIF 2.1.0', async () => {
    const files = { ...bad, 'über uns/play.yaml': '- hosts: web\n  tusks: []\n' };
    const { text } = await lint(files, ['play.yaml', 'über uns/play.yaml', '-i', 'hosts.ini', '--output', 'sarif']);
    const log = JSON.parse(text) as Log;
    expectSarif(text);
    const [run] = log.runs;
    const rules = run?.tool.driver.rules?.map(({ id }) => id) ?? [];
    for (const { ruleId, ruleIndex = -1 } of run?.results ?? []) expect(rules[ruleIndex]).to.equal(ruleId);
    const found = run?.results?.map(({ ruleId, level, locations }) => {
      const { artifactLocation, region } = locations?.[0]?.physicalLocation ?? {};
      return [ruleId, level, artifactLocation?.uri, region?.startLine, region?.startColumn, region?.endColumn];
    });
    expect(found).to.deep.equal([
      ['yes-or-no', 'warning', 'play.yaml', 2, 15, 18],
      ['undefined-name', 'error', 'play.yaml', 4, 29, 33],
      ['unknown-member', 'error', 'play.yaml', 5, 13, 27],
      ['language', 'error', '%C3%BCber%20uns/play.yaml', 2, 3, 8],
    ]);
  });

  it('has a rule for every kind of mistake, described', () => {
    for (const [id, text] of Object.entries(checkRules)) {
      expect(id).to.match(/^[a-z-]+$/);
      expect(text).to.match(/^an? |^yes|^tags|^types|^facts/);
    }
  });

  it('is a command, and the same checks come before a run', () =>
    withTemporaryFolder(async (folder) => {
      await writeFiles(folder, bad);
      const linted = await runCli(['lint', ...args], { cwd: folder });
      expect(linted.exitCode).to.equal(5);
      const played = await runCli(['play', ...args, '--no-journal'], { cwd: folder });
      expect(played.exitCode).to.equal(5);
      expect(linted.stdout).to.contain(played.stderr.trim());
    }));

  describe('-e', () => {
    const inputs =
      '- hosts: web\n  inputs:\n    count: {type: integer}\n    name: {type: string, default: x}\n    zones: {type: array, default: []}\n  tasks:\n    - debug: { message: "{{ count }} {{ name }} {{ json zones }}" }\n';
    const plain = '- hosts: web\n  tasks:\n    - debug: { message: \'{{ default size "big" }} {{ port }}\' }\n';
    const table: readonly (readonly [string, string, readonly string[], string])[] = [
      ['a value of the declared type', inputs, ['-e', 'count=3'], 'nothing is wrong'],
      ['a list as JSON text', inputs, ['-e', 'count=3', '-e', 'zones=["a"]'], 'nothing is wrong'],
      [
        'a value of another type',
        inputs,
        ['-e', 'count=three'],
        '-e count: "count" must be a whole number, not "three"',
      ],
      ['a misspelt input', inputs, ['-e', 'count=3', '-e', 'nmae=x'], 'the playbook has no input "nmae"'],
      ['the nearest input', inputs, ['-e', 'count=3', '-e', 'nmae=x'], 'did you mean "name"?'],
      ['an input without a value', inputs, [], 'the input "count" has no value'],
      ['how to give it', inputs, [], 'give it with -e count=3'],
      ['what the playbook reads', plain, ['-e', 'port=1'], 'nothing is wrong'],
      ['what a template asks for', plain, ['-e', 'size=1'], 'nothing is wrong'],
      ['a connection variable', inputs, ['-e', 'count=3', '-e', 'ansible_user=x'], 'nothing is wrong'],
      ['what nothing reads', plain, ['-e', 'prot=1'], '-e prot: nothing in the playbook reads or defines "prot"'],
    ];
    for (const [title, play, extra, expected] of table) {
      it(title, async () => {
        expect((await lint({ ...bad, 'play.yaml': play }, [...args, ...extra])).text).to.contain(expected);
      });
    }

    it('has the type of its input in the run, too', () =>
      withTemporaryFolder(async (folder) => {
        const hosts = '[web]\nh1 ansible_connection=local\n';
        const play = inputs.replace('message: "{{ count }} {{ name }} {{ json zones }}"', 'value: !expr count + 1');
        await writeFiles(folder, { 'play.yaml': play, 'hosts.ini': hosts });
        const run = await runCli(['play', ...args, '-e', 'count=3', '--no-journal', '--output', 'ndjson'], {
          cwd: folder,
        });
        expect(run.stdout).to.contain('"message":"4"');
      }));
  });

  describe('tags and --limit', () => {
    const play =
      '- hosts: web\n  tasks:\n    - { debug: { message: x }, tags: one }\n    - { debug: { message: y }, tags: [two, never] }\n';
    const table: readonly (readonly [readonly string[], string])[] = [
      [['--tags', 'one'], 'nothing is wrong'],
      [['--tags', 'oen'], '--tags oen: no task has this tag'],
      [['--skip-tags', 'tow'], 'did you mean "two"?'],
      [['--tags', 'one', '--skip-tags', 'one'], 'together they leave no task'],
      [['--skip-tags', 'one'], '--skip-tags one: leaves no task'],
      [['--limit', 'h1'], 'nothing is wrong'],
      [['--limit', 'h2'], 'there is no host and no group "h2"'],
    ];
    for (const [options, expected] of table) {
      it(options.join(' '), async () => {
        expect((await lint({ ...bad, 'play.yaml': play }, [...args, ...options])).text).to.contain(expected);
      });
    }
  });
});

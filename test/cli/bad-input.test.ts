import { readdir } from 'node:fs/promises';
import { expect } from 'chai';
import { runCli } from '../support/cli.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { writeFiles } from '../support/play.ts';

/** What a user sees for each kind of mistake: where, what, and what to do; exit code 5, no stack, nothing left behind. */
describe('bad input', () => {
  const good = '- hosts: web\n  tasks:\n    - debug: { message: hi }\n';
  const local = '[all:vars]\nansible_connection=local\n[web]\nh1\n';
  const table: [string, { play?: string; inventory?: string; args?: string[] }, (string | RegExp)[]][] = [
    [
      'an inventory that is not there',
      { args: ['-i', 'hosts.inn'] },
      ['there is no inventory "hosts.inn"', 'hosts.ini'],
    ],
    ['no inventory at all', { args: [] }, ['play.yaml:1:10', 'there is no inventory']],
    ['an inventory without hosts', { inventory: '# nothing yet\n' }, ['hosts.ini', /no hosts|empty/]],
    [
      'an empty group',
      { inventory: `${local}[db]\n`, play: good.replace('web', 'db') },
      ['play.yaml:1:10', 'the group "db" has no hosts'],
    ],
    ['a pattern that matches nothing', { play: good.replace('web', 'wbe') }, ['play.yaml:1:10', 'did you mean "web"?']],
    ['an unknown module', { play: good.replace('debug', 'debgu') }, ['play.yaml:3:7', 'did you mean "debug"?']],
    [
      'an unknown argument',
      { play: good.replace('message', 'mesage') },
      ['play.yaml:3:16', 'unknown argument "mesage"', 'did you mean "message"?'],
    ],
    [
      'an unknown keyword',
      { play: good.replace('hosts: web', 'hosts: web\n  seriel: 1') },
      ['play.yaml:2:3', 'did you mean "serial"?'],
    ],
    [
      'a wrong type',
      { play: '- hosts: web\n  tasks:\n    - file: { path: /x, mode: 0644 }\n' },
      ['play.yaml:3:31', '"mode" must be a string', 'quotes'],
    ],
    ['a broken template', { play: good.replace('hi', "'{{ x'") }, ['play.yaml:3:']],
    ['a broken condition', { play: `${good}      when: 1 ==\n` }, ['play.yaml:4:']],
    ['YAML that is none', { play: '- hosts: [web\n' }, ['play.yaml:']],
    ['an unknown option', { args: ['-i', 'hosts.ini', '--chekc'] }, ["unknown option '--chekc'", '--check']],
  ];
  for (const [title, { play = good, inventory = local, args = ['-i', 'hosts.ini'] }, expected] of table) {
    it(`${title}: exit code 5, and the message says what to do`, () =>
      withTemporaryFolder(async (folder) => {
        await writeFiles(folder, { 'play.yaml': play, 'hosts.ini': inventory });
        const run = await runCli(['play', 'play.yaml', ...args], { cwd: folder });
        expect(run.exitCode, run.stdout + run.stderr).to.equal(5);
        for (const text of expected) {
          if (typeof text === 'string') expect(run.stderr).to.contain(text);
          else expect(run.stderr).to.match(text);
        }
        expect(run.stderr).to.not.match(/^\s+at .*\.ts/m);
        expect((await readdir(folder)).sort()).to.deep.equal(['hosts.ini', 'play.yaml']);
      }));
  }

  it('a name that nothing defines is found before the first task: exit code 5, the place and what it may have meant', () =>
    withTemporaryFolder(async (folder) => {
      const play =
        '- hosts: web\n  vars: { release: "1" }\n  tasks:\n    - command: { argv: [touch, made] }\n    - debug: { message: "{{ relaese }}" }\n';
      await writeFiles(folder, { 'play.yaml': play, 'hosts.ini': local });
      const run = await runCli(['play', 'play.yaml', '-i', 'hosts.ini', '--no-journal'], { cwd: folder });
      expect(run.exitCode).to.equal(5);
      expect(run.stderr)
        .to.contain('play.yaml:5:')
        .and.contain('"relaese" is not defined')
        .and.contain('did you mean "release"?');
      expect((await readdir(folder)).sort()).to.deep.equal(['hosts.ini', 'play.yaml']);
    }));
});

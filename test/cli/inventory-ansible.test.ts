import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { quoteWord } from '../../engine/base/sh.ts';
import { describeWithAnsible, layOut, optionsOf, type Question, runAnsible } from '../inventory/ansible.ts';
import { runbookCommand } from '../support/cli.ts';
import { showInventory } from './inventory-rig.ts';

const files = {
  'hosts.ini': `lonely
[web]
web[1:3] ansible_port=2222
web1 ansible_host=10.0.0.1
[db]
db-a:22 tags="['a', 'b']"
db-b
web3
[empty]
[prod:children]
db
web
[site:children]
prod
[web:vars]
greeting=hello {{ inventory_hostname }}
num=5
text="5"
switch=True
nothing=None
ratio=1.5
deep={'a': [1, {'b': 'c'}]}
[all:vars]
everywhere=yes
ansible_user=admin
[site:vars]
ansible_group_priority=2
where=site
`,
  'more.yml': `all:
  children:
    extra:
      hosts:
        web1: {num: 6}
        x.example.com:
      vars: {note: "a: b # c", path: /a/b, version: "1.10", empty: "", lines: "a\\nb"}
`,
  'group_vars/web.yml': 'num: 7\nmap: {a: 1, b: null}\n',
  'group_vars/all/one.yml': 'everywhere: group\n',
  'host_vars/web2.yml': 'num: 8\n',
  'play/group_vars/web.yml': 'num: 9\n',
};

const questions: Readonly<Record<string, Question & { readonly extra?: readonly string[] }>> = {
  'an inventory with variable files': { files, sources: ['hosts.ini'] },
  'several inventories': { files, sources: ['hosts.ini', 'more.yml'] },
  'variables beside the playbook': { files, sources: ['hosts.ini'], playbookDirectory: 'play' },
  'a list of hosts': { files: {}, sources: ['n1,n2:23,10.0.0.1,'] },
  '-e': { files, sources: ['hosts.ini'], extra: ['-e', 'version=1.10', '-e', '{"num": 1, "list": [1, "2"]}'] },
};

describeWithAnsible('runbook inventory beside ansible-inventory', function () {
  this.timeout(60_000);

  const both = async (
    question: (typeof questions)[string],
    theirs: readonly string[],
    ours: readonly string[],
  ): Promise<{ theirs: string; ours: string }> => {
    await using folder = await layOut(question);
    const options = [...optionsOf(folder.path, question), ...(question.extra ?? [])];
    const [ansible, runbook] = await Promise.all([
      runAnsible('ansible-inventory', folder.path, [...options, ...theirs]),
      showInventory([...options, ...ours]),
    ]);
    expect(ansible.code, ansible.stderr).to.equal(0);
    return { theirs: ansible.stdout, ours: runbook.stdout };
  };

  for (const [title, question] of Object.entries(questions)) {
    it(`--list --output json prints the same: ${title}`, async () => {
      const { theirs, ours } = await both(question, ['--list'], ['--list', '--output', 'json']);
      expect(JSON.parse(ours)).to.deep.equal(JSON.parse(theirs));
    });

    it(`--list --output yaml prints the same: ${title}`, async () => {
      const { theirs, ours } = await both(question, ['--list', '--yaml'], ['--list', '--output', 'yaml']);
      const read = (text: string): unknown => parse(text, { version: '1.1' });
      expect(read(ours)).to.deep.equal(read(theirs));
    });
  }

  it('--host prints the same', async () => {
    for (const host of ['web1', 'db-a', 'x.example.com']) {
      const question = { files, sources: ['hosts.ini', 'more.yml'] };
      const { theirs, ours } = await both(question, ['--host', host], ['--host', host, '--output', 'json']);
      expect(JSON.parse(ours)).to.deep.equal(JSON.parse(theirs));
    }
  });

  it('--graph prints the same, below all and below a group', async () => {
    const question = { files, sources: ['hosts.ini', 'more.yml'] };
    for (const group of [[], ['prod'], ['empty']]) {
      const { theirs, ours } = await both(question, ['--graph', ...group], ['--graph', ...group]);
      expect(ours).to.equal(theirs);
    }
  });

  it('--graph --vars prints the same, but values as JSON and not as Python', async () => {
    const plain = { 'hosts.ini': '[web]\nw1 n=5 word=hello\nw2 path=/a/b\n[web:vars]\nwhere=here\nn=6\n' };
    const same = await both({ files: plain, sources: ['hosts.ini'] }, ['--graph', '--vars'], ['--graph', '--vars']);
    expect(same.ours).to.equal(same.theirs);
    const python = { 'hosts.ini': 'w1 on=True off=None list="[\'a\']" number="\'5\'"\n' };
    const other = await both({ files: python, sources: ['hosts.ini'] }, ['--graph', '--vars'], ['--graph', '--vars']);
    expect(other.theirs).to.contain('{on = True}').and.contain('{off = None}').and.contain("{list = ['a']}");
    expect(other.ours).to.contain('{on = true}').and.contain('{off = null}').and.contain('{list = ["a"]}');
    expect(other.theirs).to.contain('{number = 5}');
    expect(other.ours).to.contain('{number = "5"}');
  });

  it('what --list --output yaml prints is an inventory that both read as the one it came from', async () => {
    const question = { files, sources: ['hosts.ini', 'more.yml'] };
    const { ours } = await both(question, ['--list'], ['--list', '--output', 'yaml']);
    const again = await both(
      { files: { 'again.yml': ours }, sources: ['again.yml'] },
      ['--list'],
      ['--list', '--output', 'json'],
    );
    expect(JSON.parse(again.ours)).to.deep.equal(JSON.parse(again.theirs));
    const { ours: first } = await both(question, ['--list'], ['--list', '--output', 'json']);
    const hostvars = (text: string): unknown => (JSON.parse(text) as { _meta: unknown })._meta;
    expect(hostvars(again.ours)).to.deep.equal(hostvars(first));
  });

  it('Ansible takes runbook as an inventory program', async () => {
    const program = `#!/bin/sh\ncd "$(dirname "$0")" && exec ${runbookCommand.map(quoteWord).join(' ')} inventory -i hosts.ini \\
  --limit 'prod:!db' --output json "$@"\n`;
    await using folder = await layOut({ files: { ...files, program }, sources: [] });
    const { code, stdout, stderr } = await runAnsible('ansible', folder.path, [
      ...['all', '-i', join(folder.path, 'program'), '--list-hosts'],
    ]);
    expect(code, stderr).to.equal(0);
    expect(stdout.trim().split(/\s+/).slice(2)).to.deep.equal(['web1', 'web2']);
  });
});

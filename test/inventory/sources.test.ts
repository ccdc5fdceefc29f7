import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { formatDiagnostic } from '../../engine/base/diagnostic.ts';
import { loadInventory } from '../../engine/inventory/sources.ts';
import { folderWith, mistakesOf, variablesOf } from './rig.ts';

describe('inventory sources', () => {
  it('a list with a comma is hosts, with ranges and ports', async () => {
    const { inventory } = await loadInventory({ sources: ['n[1:2].example.com, 192.0.2.9:2222,'] });
    expect([...inventory.hosts.keys()]).to.deep.equal(['n1.example.com', 'n2.example.com', '192.0.2.9']);
    expect(inventory.hosts.get('192.0.2.9')?.groups).to.deep.equal(['all', 'ungrouped']);
    expect(variablesOf(inventory.hosts.get('192.0.2.9'))).to.deep.equal({ ansible_port: 2222 });
  });

  it('several sources are one inventory, and the later one wins', async () => {
    await using folder = await folderWith({ a: '[g]\nh v=1 w=1\n[g:vars]\nx=1', b: 'h v=2\n[g]\ni\n[g:vars]\nx=2' });
    const { inventory } = await loadInventory({ sources: [join(folder.path, 'a'), join(folder.path, 'b'), 'j,'] });
    expect(inventory.groups.get('g')?.hosts).to.deep.equal(['h', 'i']);
    expect(variablesOf(inventory.hosts.get('h'))).to.deep.equal({ v: 2, w: 1, x: 2 });
    expect([...inventory.hosts.keys()]).to.deep.equal(['h', 'i', 'j']);
  });

  it('without any source there are no hosts but the implicit localhost', async () => {
    const { inventory } = await loadInventory({ sources: [] });
    expect(inventory.hosts.size).to.equal(0);
    expect(variablesOf(inventory.localhosts.get('localhost'))).to.deep.equal({ ansible_connection: 'local' });
  });

  const withFiles = async (act: (folder: string) => Promise<void>): Promise<void> => {
    await using folder = await folderWith({
      'empty.ini': '[web]\n',
      'prod.ini': 'h\n',
      'yaml.ini': '# hosts\nall:\n  hosts:\n',
      'script.sh': '#!/bin/sh\n',
      'hosts.toml': '[web.hosts]\n',
      binary: '\x7fEL\0',
      'bad.ini': '[a:childs]\nh x\n',
      'worse.ini': 'h[1]\n',
    });
    await mkdir(join(folder.path, 'directory'));
    await symlink('gone', join(folder.path, 'link'));
    await mkdir(join(folder.path, 'links'));
    await symlink('../gone', join(folder.path, 'links/hosts'));
    await writeFile(join(folder.path, 'latin'), Buffer.from('h\ncaf\xe9 x=1\n', 'latin1'));
    await act(folder.path);
  };

  const mistakes: Record<string, string> = {
    'pord.ini': `error: there is no inventory "DIR/pord.ini"\n  hint: did you mean "prod.ini"?`,
    'nowhere/prod.ini': `error: there is no inventory "DIR/nowhere/prod.ini"\n  hint: the folder "DIR/nowhere" does not exist either`,
    'empty.ini': 'error: the inventory DIR/empty.ini has no hosts',
    'yaml.ini': 'error: DIR/yaml.ini looks like YAML, but its name says INI\n  hint: let its name end in .yml',
    'script.sh': 'error: DIR/script.sh is a program that may not be executed\n  hint: chmod +x DIR/script.sh',
    'hosts.toml': 'error: DIR/hosts.toml: inventories in TOML are not read\n  hint: write it in YAML',
    binary: `DIR/binary:1:4: error: DIR/binary is no text file\n  1 | \x7fEL\0\n         ^`,
    directory: 'error: the inventory DIR/directory has no hosts',
    link: 'error: the inventory "DIR/link" is a link that leads nowhere\n  hint: it leads to gone',
    links: 'error: the inventory "DIR/links/hosts" is a link that leads nowhere\n  hint: it leads to ../gone',
    latin: 'DIR/latin:2:4: error: this is not UTF-8\n  2 | caf\ufffd x=1\n         ^\n  hint: save the file as UTF-8',
  };
  for (const [name, message] of Object.entries(mistakes)) {
    it(`${name}: ${message.split('\n')[0]}`, () =>
      withFiles(async (folder) => {
        const printed = await mistakesOf(() => loadInventory({ sources: [join(folder, name)] }));
        expect(printed.replaceAll(folder, 'DIR').replaceAll(relative(process.cwd(), folder), 'DIR')).to.equal(message);
      }));
  }

  it('a name without a comma is a file; the hint says how to write a list', async () => {
    expect(await mistakesOf(() => loadInventory({ sources: ['some-host.example.com'] }))).to.equal(
      'error: there is no inventory "some-host.example.com"\n  hint: for a list of hosts end it with a comma: -i some-host.example.com,',
    );
  });

  it('a name that is empty is no file, and mostly a variable of the shell that is not set', async () => {
    expect(await mistakesOf(() => loadInventory({ sources: [''] }))).to.equal(
      'error: the name of an inventory is empty\n  hint: is a variable of the shell not set?',
    );
  });

  it('mistakes of an inline list show their place', async () => {
    expect(
      await mistakesOf(() => loadInventory({ sources: ['a,b[1],'] })),
    ).to.equal(`-i:1:4: error: a range is begin:end or begin:end:step
  1 | a,b[1],
         ^^^
  hint: write [1:3], [01:10], [a:c] or, with a step, [0:10:2]`);
  });

  it('mistakes of all sources are reported together', () =>
    withFiles(async (folder) => {
      const sources = ['bad.ini', 'worse.ini', 'gone.ini'].map((name) => join(folder, name));
      const printed = await mistakesOf(() => loadInventory({ sources }));
      expect(printed.split('\n').filter((line) => line.includes('error:'))).to.have.lengthOf(3);
    }));
});

describe('variable files', () => {
  it('come over all that the inventory says of groups, or of hosts; those beside the playbook win', async () => {
    await using folder = await folderWith({
      'inventory/hosts': '[web]\nh a=ini b=ini c=ini\n[web:vars]\np=ini\nq=ini\nr=ini\n',
      'inventory/group_vars/web.yml': 'q: beside inventory\nr: beside inventory\na: group',
      'inventory/host_vars/h.yaml': 'b: beside inventory\nc: beside inventory',
      'inventory/group_vars/all': 'p: all\nz: "{{ p }}!"',
      'play/group_vars/web/one.yml': 'r: beside playbook',
      'play/group_vars/web/sub/two.json': '{"s": [1]}',
      'play/group_vars/web/.hidden.yml': 'r: hidden',
      'play/group_vars/web/note.txt': 'no yaml: [',
      'play/group_vars/web/backup.yml~': 'r: backup',
      'play/host_vars/h.yml': 'c: beside playbook',
      'play/host_vars/other.yml': 'no yaml: [',
      'play/group_vars/other.yml': 'no yaml: [',
    });
    const { inventory, diagnostics } = await loadInventory({
      sources: [join(folder.path, 'inventory/hosts')],
      playbookDirectory: join(folder.path, 'play'),
    });
    expect(diagnostics).to.deep.equal([]);
    const host = inventory.hosts.get('h');
    expect(variablesOf(host)).to.deep.equal({
      a: 'ini',
      b: 'beside inventory',
      c: 'beside playbook',
      p: 'all',
      q: 'beside inventory',
      r: 'beside playbook',
      s: [1],
      z: 'all!',
    });
    expect(host?.layers.map((layer) => layer.origin.replace(/.*?(inventory|play)\//, '$1/'))).to.deep.equal([
      'group web',
      'inventory/group_vars/all',
      'inventory/group_vars/web.yml',
      'play/group_vars/web/one.yml',
      'play/group_vars/web/sub/two.json',
      'host h',
      'inventory/host_vars/h.yaml',
      'play/host_vars/h.yml',
    ]);
  });

  it('hold for the implicit localhost as far as they are for all or for it', async () => {
    await using folder = await folderWith({
      'group_vars/all.yml': 'a: 1\nansible_connection: ssh',
      'host_vars/localhost.yml': 'b: 2',
    });
    const { inventory } = await loadInventory({ sources: ['n,'], playbookDirectory: folder.path });
    expect(variablesOf(inventory.localhosts.get('localhost'))).to.deep.equal({
      a: 1,
      b: 2,
      ansible_connection: 'local',
    });
    expect(variablesOf(inventory.localhosts.get('::1'))).to.deep.equal({ a: 1, ansible_connection: 'local' });
  });

  it('of the same name: the first is read, and the others are named', async () => {
    await using folder = await folderWith({ 'host_vars/n.yml': 'v: 1', 'host_vars/n.yaml': 'v: 2' });
    const { inventory, diagnostics } = await loadInventory({ sources: ['n,'], playbookDirectory: folder.path });
    expect(variablesOf(inventory.hosts.get('n'))).to.deep.equal({ v: 1 });
    expect(
      diagnostics
        .map(formatDiagnostic)
        .join()
        .replaceAll(folder.path, 'DIR')
        .replaceAll(relative(process.cwd(), folder.path), 'DIR'),
    ).to.equal(
      'warning: DIR/host_vars/n.yaml is not read, because DIR/host_vars/n.yml is there too\n  hint: put both into a folder DIR/host_vars/n/',
    );
  });

  it('cannot give a group its priority, and say so', async () => {
    await using folder = await folderWith({ 'group_vars/all.yml': 'ansible_group_priority: 5' });
    const { diagnostics } = await loadInventory({ sources: ['n,'], playbookDirectory: folder.path });
    expect(diagnostics.map(({ message }) => message)).to.deep.equal([
      'ansible_group_priority has no effect in a file of variables',
    ]);
  });

  it('may be reached through links', async () => {
    await using folder = await folderWith({ 'shared/all/a.yml': 'v: 1', 'group_vars/other': '' });
    await symlink(join(folder.path, 'shared/all'), join(folder.path, 'group_vars/all'));
    await symlink('nowhere', join(folder.path, 'group_vars/unused.yml'));
    const { inventory } = await loadInventory({ sources: ['n,'], playbookDirectory: folder.path });
    expect(variablesOf(inventory.hosts.get('n'))).to.deep.equal({ v: 1 });
  });

  it('may be empty', async () => {
    await using folder = await folderWith({ 'group_vars/all.yml': '# nothing yet\n' });
    const { inventory } = await loadInventory({ sources: ['n,'], playbookDirectory: folder.path });
    expect(variablesOf(inventory.hosts.get('n'))).to.deep.equal({});
  });

  const mistakes: [text: string, printed: string][] = [
    [
      'a: [1\n',
      'DIR/group_vars/all.yml:1:6: error: not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    [
      '- a: 1\n',
      'DIR/group_vars/all.yml:1:1: error: a file of variables is a map of names to values, not a list\n  1 | - a: 1\n      ^^^^^^',
    ],
    [
      'ansible_port: many\nansible_connection: shh\n',
      `DIR/group_vars/all.yml:1:15: error: ansible_port must be a number from 1 to 65535, not "many"
  1 | ansible_port: many
                    ^^^^

DIR/group_vars/all.yml:2:21: error: ansible_connection must be ssh or local, not "shh"
  2 | ansible_connection: shh
                          ^^^
  hint: did you mean "ssh"?`,
    ],
    [
      '$ANSIBLE_VAULT;1.1;AES256\n6162\n',
      'error: cannot read DIR/group_vars/all.yml: it is damaged: not what Ansible Vault writes',
    ],
  ];
  for (const [text, printed] of mistakes) {
    it(`a mistake has its place: ${text.split('\n')[0]}`, async () => {
      await using folder = await folderWith({ 'group_vars/all.yml': text });
      const found = await mistakesOf(() => loadInventory({ sources: ['n,'], playbookDirectory: folder.path }));
      expect(
        found
          .replaceAll(folder.path, 'DIR')
          .replaceAll(relative(process.cwd(), folder.path), 'DIR')
          .slice(0, printed.length),
      ).to.equal(printed);
    });
  }
});

describe('inventories/prod.ini', () => {
  it('is read without a doubt, and takes workers before control planes', async () => {
    const { inventory, diagnostics } = await loadInventory({ sources: ['inventories/prod.ini'] });
    expect(diagnostics).to.deep.equal([]);
    expect(inventory.groups.get('nodes')?.hosts).to.have.lengthOf(7);
    expect(inventory.groups.get('nodes')?.hosts.slice(-3)).to.deep.equal(['cp-1', 'cp-2', 'cp-3']);
    const first = inventory.hosts.get('cp-3');
    expect(variablesOf(first)).to.include({ ansible_port: 2222, zone: 'b', kube_node_name: 'cp-3.example.com' });
  });
});

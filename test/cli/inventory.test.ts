import { join, relative } from 'node:path';
import { expect } from 'chai';
import { explainError } from '../../engine/cli/explain-error.ts';
import { formatTable } from '../../engine/cli/inventory/table.ts';
import { folderWith } from '../inventory/rig.ts';
import { runCli } from '../support/cli.ts';
import { showInventory } from './inventory-rig.ts';

const files = {
  'hosts.ini': `[web]
web[1:3] size=1
web1 ansible_host=10.0.0.1 ansible_port=2222 size=2
[db]
db-a ansible_connection=local
db-b ansible_host=fd00::1 ansible_port=22
[spare]
[prod:children]
web
db
[prod:vars]
ansible_user=admin
version="1.6"
greeting=hello {{ name }}
name=you {{ version }}
os={{ facts.os.family }}
`,
  'group_vars/web.yml': 'version: "1.7"\nlist: [1, a]\n',
  'host_vars/web1.yml': 'version: "1.8"\n',
  'play/group_vars/web.yml': '# beside the playbook\nversion: "1.9"\n',
};

/** What is printed for an inventory of these files; paths in it are from the folder. */
async function show(args: readonly string[], more: Record<string, string> = {}) {
  await using folder = await folderWith({ ...files, ...more });
  const placed = args.map((arg) => (arg === 'play' ? join(folder.path, arg) : arg));
  const { stdout, stderr } = await showInventory(['-i', join(folder.path, 'hosts.ini'), ...placed]);
  // Paths are shown from the working directory where that is shorter.
  const roots = [`${folder.path}/`, `${relative('', folder.path)}/`];
  const fromFolder = (printed: string): string => roots.reduce((text, root) => text.replaceAll(root, ''), printed);
  return { stdout: fromFolder(stdout), stderr: fromFolder(stderr) };
}

/** Columns are two blanks apart here: how wide they are depends on the folder. */
async function text(...args: readonly string[]): Promise<string> {
  return (await show(args)).stdout.replace(/(?<=\S) {2,}/g, '  ');
}

async function json(...args: readonly string[]): Promise<unknown> {
  return JSON.parse(await text(...args, '--output', 'json'));
}

/** What a user reads when the command refuses. */
async function refusal(...args: readonly string[]): Promise<string> {
  try {
    await show(args);
  } catch (error) {
    return explainError(error, ['inventory', ...args]).text;
  }
  throw new Error('it did not refuse');
}

describe('runbook inventory --list', () => {
  it('shows people hosts, addresses and groups', async () => {
    expect(await text('--list')).to.equal(`web1  admin@10.0.0.1:2222  prod, web
web2  admin@web2  prod, web
web3  admin@web3  prod, web
db-a  local  db, prod
db-b  admin@[fd00::1]:22  db, prod

5 hosts, 4 groups
`);
  });

  it('applies --limit in every form; a group without hosts is left out', async () => {
    expect(await text('--list', '-l', 'web1')).to.contain('\n\n1 host of 5, 4 groups\n');
    const listing = (await json('--list', '-l', 'web:!web1')) as Record<string, { hosts?: string[] }>;
    expect(listing.web).to.deep.equal({ hosts: ['web2', 'web3'] });
    expect(listing).to.have.property('prod').and.not.to.have.property('hosts');
    expect(listing).not.to.have.property('db');
    expect((listing as unknown as { _meta: { hostvars: object } })._meta.hostvars).to.have.keys('web2', 'web3');
    const yaml = await text('--list', '-l', 'web2', '--output', 'yaml');
    expect(yaml).to.contain('web2:').and.not.contain('web3');
    expect(await text('--graph', '-l', 'web2')).to.equal(`@all:
  |--@ungrouped:
  |--@spare:
  |--@prod:
  |  |--@web:
  |  |  |--web2
  |  |--@db:
`);
  });

  it('shows templates as they are written, and -e over all', async () => {
    const { _meta } = (await json('--list', '-e', 'version=2')) as { _meta: { hostvars: Record<string, object> } };
    expect(_meta.hostvars.web1).to.include({ greeting: 'hello {{ name }}', version: '2', size: 2 });
  });

  it('is valid without an inventory', async () => {
    const { stdout } = await showInventory(['--list', '--output', 'json']);
    expect(JSON.parse(stdout)).to.deep.equal({ _meta: { hostvars: {} }, all: { children: ['ungrouped'] } });
  });
});

describe('runbook inventory --host', () => {
  it('shows each variable with its place and its layer', async () => {
    expect(await text('--host', 'web2')).to.equal(`web2 in prod, web
  ansible_user  admin  hosts.ini:12:14  group prod
  greeting  hello {{ name }}  hosts.ini:14:10  group prod
  list  [1,"a"]  group_vars/web.yml:2:7  group_vars of web
  name  you {{ version }}  hosts.ini:15:6  group prod
  os  {{ facts.os.family }}  hosts.ini:16:4  group prod
  size  1  hosts.ini:2:15  host web2
  version  "1.7"  group_vars/web.yml:1:10  group_vars of web
`);
  });

  it('knows a localhost that the inventory does not name', async () => {
    const { stdout } = await showInventory(['--host', 'localhost']);
    expect(stdout).to.equal(
      'localhost\n  ansible_connection  local  the implicit localhost:1:1  the implicit localhost\n',
    );
  });
});

describe('runbook inventory --explain', () => {
  it('shows every candidate of a host, the winner first', async () => {
    const args = ['--host', 'web1', '--explain', 'version', '--playbook-dir', 'play', '-e', 'version=2'];
    expect(await text(...args)).to.equal(`version on web1
→  "2"  -e
   "1.8"  host_vars/web1.yml:1:10  host_vars of web1
   "1.9"  play/group_vars/web.yml:2:10  group_vars of web
   "1.7"  group_vars/web.yml:1:10  group_vars of web
   "1.6"  hosts.ini:13:9  group prod
`);
  });

  it('says what a value hides that was given before in the same place', async () => {
    expect(await text('--host', 'web1', '--explain', 'size')).to.equal(`size on web1
→  2  hosts.ini:3:51  host web1
   1  hosts.ini:2:15  host web1
`);
  });

  it('gives the same to programs', async () => {
    const { candidates, ...rest } = (await json('--host', 'web2', '--explain', 'version')) as { candidates: object[] };
    expect(rest).to.deep.equal({ host: 'web2', name: 'version' });
    expect(candidates).to.deep.equal([
      { value: '1.7', layer: 'group_vars of web', file: 'group_vars/web.yml', line: 1, column: 10 },
      { value: '1.6', layer: 'group prod', file: 'hosts.ini', line: 13, column: 9 },
    ]);
  });

  it('renders a template with what the inventory knows, and says when that is not enough', async () => {
    expect(await text('--host', 'db-a', '--explain', 'greeting')).to.contain('It gives hello you 1.6.\n');
    expect(await text('--host', 'web1', '--explain', 'os')).to.match(
      /It cannot be rendered without a run: "facts" is not defined \(hosts.ini:16:7\)\.\n/,
    );
    expect(await json('--host', 'db-a', '--explain', 'greeting')).to.include({ rendered: 'hello you 1.6' });
  });

  it('without a host groups all hosts by what they get, and where', async () => {
    expect(await text('--explain', 'version')).to.equal(`version
  "1.8"  host_vars/web1.yml:1:10  host_vars of web1  1 host: web1
  "1.7"  group_vars/web.yml:1:10  group_vars of web  2 hosts: web2, web3
  "1.6"  hosts.ini:13:9  group prod  2 hosts: db-a, db-b
`);
    expect(await json('--explain', 'size')).to.deep.equal({
      name: 'size',
      winners: [
        { value: 2, layer: 'host web1', file: 'hosts.ini', line: 3, column: 51, hosts: ['web1'] },
        { value: 1, layer: 'hosts', file: 'hosts.ini', line: 2, column: 15, hosts: ['web2', 'web3'] },
      ],
      unset: ['db-a', 'db-b'],
    });
    expect(await text('--explain', 'size', '-l', 'web2:db-a')).to.equal(`size
  1  hosts.ini:2:15  host web2  1 host: web2
  not set  1 host: db-a
`);
  });
});

describe('runbook inventory hides', () => {
  const secret = 'correct-horse-battery';
  const inventory = {
    'hosts.ini': `w1 ansible_password=${secret} 'ansible_become_pass={{ vault_it }}' note="it is ${secret}!"\n`,
    'group_vars/all.yml': `ansible_ssh_private_key_passphrase: ${secret}x\nlist: [{deep: ${secret}}]\n`,
  };

  it('the passwords of connections, wherever they stand again, in every output', async () => {
    const wanted = [
      ['--list', '--output', 'json'],
      ['--list', '--output', 'yaml'],
      ['--graph', '--vars'],
      ['--host', 'w1'],
      ['--host', 'w1', '--output', 'yaml'],
      ['--explain', 'ansible_password'],
      ['--explain', 'note', '--host', 'w1', '--output', 'json'],
    ];
    for (const args of wanted) {
      const { stdout } = await show(args, inventory);
      expect(stdout).to.contain('********').and.not.contain(secret);
    }
  });

  it('a password on the command line', async () => {
    const { stdout } = await show(['--host', 'w1', '-e', 'ansible_password=hunter2!'], inventory);
    expect(stdout)
      .to.match(/ansible_password +\*{8}\n|ansible_password +\*{8} +-e/)
      .and.not.contain('hunter2');
  });

  it('what a warning would quote', async () => {
    const { stderr } = await show(['--list'], { 'hosts.ini': `w1 ansible_hst=1 ansible_password=${secret}\n` });
    expect(stderr).to.contain('warning: ansible_hst').and.contain('ansible_password=********').and.not.contain(secret);
  });

  it('no template that says where a password comes from', async () => {
    const { stdout } = await show(['--host', 'w1'], inventory);
    expect(stdout).to.match(/ansible_become_pass +\{\{ vault_it \}\}/);
  });
});

describe('runbook inventory refuses', () => {
  const refused: Record<string, readonly [args: readonly string[], said: string]> = {
    'a host that is not there': [
      ['--host', 'wep1'],
      '--host: there is no host "wep1" in the inventory\n  hint: did you mean "web1"?',
    ],
    'a group as a host': [['--host', 'prod'], '"prod" in the inventory\n  hint: "prod" is a group: --graph prod'],
    'a group that is not there': [
      ['--graph', 'wbe'],
      '--graph: there is no group "wbe" in the inventory\n  hint: did you mean "web"?',
    ],
    'a host as a group': [['--graph', 'db-a'], 'hint: "db-a" is a host: --host db-a'],
    'a variable that nobody has': [
      ['--explain', 'verion'],
      'no host has a variable "verion"\n  hint: did you mean "version"?',
    ],
    'a variable that only others have': [
      ['--explain', 'size', '--host', 'db-a'],
      'db-a has no variable "size"\n  hint: it is set on web1, web2, web3',
    ],
    'a variable that only hosts outside of the limit have': [
      ['--explain', 'size', '-l', 'db'],
      'no host that --limit leaves has a variable "size"\n  hint: it is set on web1, web2, web3',
    ],
    'a name of the engine': [['--explain', 'group_names'], '"group_names" is provided by the engine, and set nowhere'],
    'to show nothing': [[], 'nothing is asked for\n  hint: add --list, --graph, --host HOST or --explain NAME'],
    'to show two things': [['--list', '--graph'], '--list and --graph cannot be shown together'],
    'variables without a graph': [['--list', '--vars'], '--vars goes with --graph'],
    'a graph as JSON': [['--graph', '--output', 'json'], '--graph is text; --list --output json says the same'],
    'a limit beside a host': [['--host', 'web1', '-l', 'web'], '--host is one host already: leave out --limit'],
    'a limit that names nothing': [
      ['--list', '-l', 'nope'],
      '--limit:1:1: error: there is no host and no group "nope"',
    ],
  };
  for (const [title, [args, said]] of Object.entries(refused)) {
    it(title, async () => expect(await refusal(...args)).to.contain(said));
  }
});

describe('a table', () => {
  it('has columns as wide as their widest cell, colours not counted, and nothing behind the last', () => {
    const rows = [
      ['a', '\u001b[1mbold\u001b[22m', 'x'],
      ['long', 'b', ''],
    ];
    expect(formatTable(rows, 2)).to.equal('  a     \u001b[1mbold\u001b[22m  x\n  long  b\n');
  });
});

describe('runbook inventory', () => {
  it('tells doubts on standard error, and ends with 5 for mistakes', async () => {
    await using folder = await folderWith({ 'hosts.ini': 'w1 ansible_hst=1\n', 'bad.ini': '[web\n' });
    const good = await runCli(['inventory', '-i', join(folder.path, 'hosts.ini'), '--list']);
    expect(good.exitCode).to.equal(0);
    expect(good.stdout).to.contain('1 host');
    expect(good.stderr).to.contain('warning: ansible_hst is no connection variable').and.contain('did you mean');
    const bad = await runCli(['inventory', '-i', join(folder.path, 'bad.ini'), '--list']);
    expect(bad).to.include({ exitCode: 5, stdout: '' });
  });
});

describe('runbook play --list-hosts', () => {
  it('tells doubts about the inventory, too, and no password in them', async () => {
    await using folder = await folderWith({
      'hosts.ini': 'w1 ansible_hst=1 ansible_password=correct-horse\n',
      'play.yaml': '- hosts: all\n  tasks:\n    - debug: { message: hello }\n',
    });
    const run = await runCli([
      ...['play', join(folder.path, 'play.yaml'), '-i', join(folder.path, 'hosts.ini'), '--list-hosts'],
    ]);
    expect(run).to.include({ exitCode: 0, stdout: 'PLAY all\n  1 host\n    w1\n' });
    expect(run.stderr).to.contain('warning: ansible_hst is no connection variable').and.not.contain('correct-horse');
  });
});

describe('hosts of a play', () => {
  it('may be a list, whose items may have colons', async () => {
    await using folder = await folderWith({
      'hosts.ini': '[web]\nw1\nw2\n[db]\nd1\n',
      'play.yaml': "- hosts: ['web:!w2', db]\n  tasks:\n    - debug: { message: hello }\n",
    });
    const [playbook, inventory] = [join(folder.path, 'play.yaml'), join(folder.path, 'hosts.ini')];
    const run = await runCli(['play', playbook, '-i', inventory, '--list-hosts']);
    expect(run.stdout, run.stderr).to.match(/\n {2}2 hosts\n {4}w1\n {4}d1\n/);
  });
});

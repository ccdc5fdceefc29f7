import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectRoot, runCli } from '../support/cli.ts';
import { type Completion, LanguageServer, type Mistake } from '../support/language-server.ts';
import { writeFiles } from '../support/play.ts';

const customModule = `import { defineAction } from 'runbook';
export default defineAction({
  name: 'greet',
  summary: 'Says hello to somebody',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['who'],
    properties: {
      who: { type: 'string', description: 'Whom to greet' },
      tone: { enum: ['kind', 'cool'], default: 'kind', description: 'How it sounds' },
      loudly: { type: 'boolean', description: 'Whether it shouts' },
    },
  },
  run: async ({ who }) => ({ message: 'hello ' + who }),
});
`;

/** The settings that docs/editor.md tells people to make in VS Code. */
async function documentedSettings(): Promise<Readonly<Record<string, unknown>>> {
  const page = await readFile(join(projectRoot, 'docs/editor.md'), 'utf8');
  return JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '{}') as Record<string, unknown>;
}

describe('the schema in yaml-language-server', () => {
  let folder: string;
  let server: LanguageServer;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runbook-editor-'));
    await writeFiles(folder, { 'modules/greet.ts': customModule });
    const { stdout, stderr, exitCode } = await runCli(['schema', '--playbook', folder]);
    expect(exitCode, stderr).to.equal(0);
    await writeFiles(folder, { 'runbook.schema.json': stdout });
    const schemas = { [join(folder, 'runbook.schema.json')]: '*.yaml' };
    const { 'yaml.customTags': customTags } = await documentedSettings();
    server = await LanguageServer.start(folder, { schemas, customTags });
    await server.ready(join(folder, 'ready.yaml'), '- hosts: all\n', 'hosts');
  });

  after(async () => {
    // None when it did not start.
    await server?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const open = (name: string, text: string): Promise<readonly Mistake[]> => server.open(join(folder, name), text);
  const hover = (name: string, on: string): Promise<string> => server.hover(join(folder, name), on);
  let completed = 0;
  const complete = (text: string): Promise<readonly Completion[]> =>
    server.complete(join(folder, `completion-${++completed}.yaml`), text);
  const offered = async (text: string): Promise<string[]> => (await complete(text)).map(({ label }) => label);

  describe('a playbook', () => {
    it('without a mistake shows none', async () => {
      const text = [
        '- name: Web',
        '  hosts: web:&eu',
        '  serial: [1, "30%"]',
        '  vars: {port: 80}',
        '  tasks:',
        '    - name: Config',
        '      copy:',
        '        dest: /etc/web.conf',
        "        content: 'port={{ port }}'",
        '        backup: !expr port == 80',
        '      when: [port > 0, check_mode == false]',
        '      loop: "{{ list }}"',
        '      notify: [restart]',
        '    - greet: somebody',
        '    - systemd: {name: web, state: "{{ state }}", stable_for: !expr 2 + 3}',
        '    - lease: {kubectl-drain: {node: a}}',
        '      block:',
        '        - shell: {cmd: reboot}',
        '  handlers:',
        '    - name: restart',
        '      systemd: {name: web, state: restarted}',
        '',
      ].join('\n');
      expect(await open('fine.yaml', text)).to.deep.equal([]);
    });

    it('shows each mistake exactly where it stands', async () => {
      const text = [
        '- hosts: all',
        '  gather_fact: false',
        '  become: yes',
        '  tasks:',
        '    - copy:',
        '        dest: /etc/x',
        '        contnt: hello',
        '    - systemd: {name: web, state: strted, timeout: soon}',
        '    - greet: {who: me, tone: rude, loud: true}',
        '    - command: {cmd: ls}',
        '      with_items: [1]',
        '    - block:',
        '        - file: {pth: /x}',
        '      lease:',
        '        kubectl-drain: {node: a, timout: 5}',
        '',
      ].join('\n');
      const mistakes = await open('mistakes.yaml', text);
      expect(mistakes.map(({ line, at }) => `${line + 1} ${at}`)).to.deep.equal([
        ...[
          '2 gather_fact',
          '3 yes',
          '7 contnt',
          '8 strted',
          '8 soon',
          '9 rude',
          '9 loud',
          '11 [1]',
          '13 file',
          '13 pth',
        ],
        '15 timout',
      ]);
      const said = (at: string): string | undefined => mistakes.find((mistake) => mistake.at === at)?.message;
      expect(said('contnt')).to.equal('Property contnt is not allowed.');
      expect(said('yes')).to.equal('Incorrect type. Expected "boolean".');
      expect(said('strted')).to.contain('"started", "stopped"');
      expect(said('[1]')).to.equal('with_items is not supported: use loop.');
      expect(said('file')).to.equal('Missing property "path".');
    });

    it('says that a task needs one module', async () => {
      const mistakes = await open(
        'modules.yaml',
        '- hosts: all\n  tasks:\n    - name: a\n    - fail: x\n      debug: {}\n',
      );
      expect(mistakes.map(({ line, message }) => `${line + 1} ${message}`)).to.deep.equal([
        '3 A task needs a module.',
        '4 A task has one module.',
      ]);
    });

    it('completes the arguments of a module, each with its description', async () => {
      const items = await complete('- hosts: all\n  tasks:\n    - name: a\n      copy:\n        |\n');
      expect(items.map(({ label }) => label)).to.include.members(['src', 'content', 'dest', 'mode', 'validate']);
      expect(items.find(({ label }) => label === 'mode')?.documentation).to.contain('octal');
    });

    it('completes those of a module of the user, and the values that they can have', async () => {
      const task = '- hosts: all\n  tasks:\n    - name: a\n      greet:\n        ';
      const items = await complete(`${task}|\n`);
      expect(items.map(({ label }) => label)).to.include.members(['who', 'tone', 'loudly']);
      expect(items.find(({ label }) => label === 'who')?.documentation).to.equal('Whom to greet');
      expect(await offered(`${task}who: me\n        tone: |\n`)).to.include.members(['kind', 'cool']);
      expect(await offered(`${task}who: me\n        loudly: |\n`)).to.include.members(['true', 'false']);
    });

    it('completes modules and keywords in a task, with what a module cannot do without', async () => {
      const items = await complete('- hosts: all\n  tasks:\n    - name: a\n      |\n');
      const labels = items.map(({ label }) => label);
      expect(labels).to.include.members([
        'copy',
        'greet',
        'systemd',
        'when',
        'register',
        'loop',
        'block',
        'include_tasks',
      ]);
      expect(labels).not.to.include.members(['hosts']);
      expect(labels).not.to.include.members(['kubectl-drain']);
      expect(labels).not.to.include.members(['with_items']);
      expect(items.find(({ label }) => label === 'greet')?.inserted).to.match(/^greet:\n +who: /);
      expect(await offered('- hosts: all\n  tasks:\n    - |\n')).to.include.members(['copy', 'name', 'import_role']);
    });

    it('completes keywords of a play, and leases only under lease', async () => {
      expect(await offered('- hosts: all\n  |\n')).to.include.members(['tasks', 'serial', 'vars_prompt', 'strategy']);
      const inLease = await offered('- hosts: all\n  tasks:\n    - block: []\n      lease:\n        |\n');
      expect(inLease).to.include.members(['kubectl-drain', 'on_failure']).and.not.to.include.members(['copy']);
    });

    it('explains keywords with their difference from Ansible, modules and arguments', async () => {
      const text = '- hosts: all\n  tasks:\n    - greet: {who: me}\n      when: a == 1\n      run_once: batch\n';
      await open('hover.yaml', text);
      expect(await hover('hover.yaml', 'when'))
        .to.contain('CEL')
        .and.contain('**Differs from Ansible:**');
      expect(await hover('hover.yaml', 'run_once')).to.contain('once in every batch');
      expect(await hover('hover.yaml', 'greet')).to.contain('Says hello to somebody');
      expect(await hover('hover.yaml', 'who')).to.contain('Whom to greet');
    });
  });

  it('may be named in the first line of a file', async () => {
    const text = '- hosts: all\n  gather_fact: true\n';
    expect(await open('plain.yml', text)).to.deep.equal([]);
    const mistakes = await open('named.yml', `# yaml-language-server: $schema=runbook.schema.json\n${text}`);
    expect(mistakes.map(({ at }) => at)).to.deep.equal(['gather_fact']);
  });

  describe('a role', () => {
    it('has tasks that are judged, explained and completed', async () => {
      const mistakes = await open('tasks.yaml', '- name: a\n  copy: {dest: /x, contnt: y}\n  whn: b\n');
      expect(mistakes.map(({ at }) => at).sort()).to.deep.equal(['contnt', 'whn']);
      expect(await hover('tasks.yaml', 'copy')).to.contain('Keeps a file equal');
      expect(await offered('- name: a\n  copy:\n    |\n')).to.include.members(['src', 'dest']);
      expect(await offered('- name: a\n  |\n')).to.include.members(['copy', 'when', 'listen']);
    });

    it('has inputs whose words are judged and completed', async () => {
      const mistakes = await open('inputs.yaml', 'port: {type: integer, dfault: 80}\nname: {type: strng}\n');
      expect(mistakes.map(({ at }) => at)).to.deep.equal(['dfault', 'strng']);
      expect(await offered('port:\n  type: integer\n  |\n')).to.include.members(['default', 'minimum', 'description']);
    });

    it('has variables of which only the names are judged', async () => {
      const mistakes = await open('vars.yaml', 'a: [1, {b: 2}]\nb-c: 3\nd: !expr a.size()\n');
      expect(mistakes.map(({ at }) => at)).to.deep.equal(['b-c']);
    });
  });

  describe('an inventory', () => {
    const text = [
      'all:',
      '  children:',
      '    web:',
      '      hosts:',
      '        web-[01:20]: {ansible_port: 2222}',
      '      vrs: {zone: a}',
      '  vars:',
      '    ansible_connection: telnet',
      '    ansible_password: !vault |',
      '      $ANSIBLE_VAULT;1.1;AES256',
      '',
    ].join('\n');

    it('shows each mistake exactly where it stands', async () => {
      const mistakes = await open('hosts.yaml', text);
      expect(mistakes.map(({ at }) => at)).to.deep.equal(['vrs', 'telnet']);
    });

    it('explains and completes connection variables', async () => {
      await open('hosts.yaml', text);
      expect(await hover('hosts.yaml', 'ansible_port')).to.contain('The port of sshd');
      expect(await offered('all:\n  hosts:\n    a:\n      |\n')).to.include.members(['ansible_host', 'ansible_user']);
      expect(await offered('all:\n  |\n')).to.include.members(['hosts', 'children', 'vars']);
    });

    it('may be a cluster', async () => {
      const mistakes = await open('c.kubernetes.yaml', 'source: kubernetes\nadress: Hostname\naddress: Hostnam\n');
      expect(mistakes.map(({ at }) => at)).to.deep.equal(['adress', 'Hostnam']);
    });
  });
});

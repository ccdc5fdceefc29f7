import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect } from 'chai';
import { encryptAge } from '../../engine/language/encryption/age.ts';
import { encryptVault } from '../../engine/language/encryption/ansible-vault.ts';
import { type CliRun, runCli } from '../support/cli.ts';
import { type ProcessWatch, watchProcesses } from '../support/process-watch.ts';
import { type Sshd, startSshd, whyNoSshd } from '../support/sshd.ts';

/** Every place where a secret can stand has one of its own, so that a leak says where it comes from. */
const places = [
  ...[
    'age',
    'nested',
    'vault',
    'inline',
    'extra',
    'prompt',
    'become',
    'login',
    'file',
    'template',
    'inventory',
    'plain',
  ],
] as const;
type Place = (typeof places)[number];

// With characters that every encoding writes in another way.
const poisons = Object.fromEntries(
  places.map((place) => [place, `Px${randomBytes(6).toString('hex')}/+'=&% "${place}`]),
) as Readonly<Record<Place, string>>;

/** How a poison may come out, made without the code that is tested. */
function formsOf(poison: string): readonly string[] {
  const base64 = (before: string): string => Buffer.from(`${before}${poison}`).toString('base64').slice(4, -4);
  return [
    poison,
    poison.toUpperCase(),
    poison.slice(0, 15),
    JSON.stringify(poison).slice(1, -1),
    encodeURIComponent(poison),
    ...['', 'a', 'ab'].map(base64),
    Buffer.from(poison).toString('base64url').slice(0, 24),
    Buffer.from(poison).toString('hex'),
    createHash('sha256').update(poison).digest('hex'),
  ];
}

const forms = places.flatMap((place) => formsOf(poisons[place]).map((form) => ({ place, form })));

function leaksIn(text: string): string[] {
  return forms
    .filter(({ form }) => text.includes(form))
    .map(({ place, form }) => {
      const at = text.indexOf(form);
      return `${place} (${form}) in …${text.slice(Math.max(0, at - 300), at + form.length + 60)}…`;
    });
}

/** Answers as sudo does, and becomes nobody. */
const standInSudo = `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    -p) prompt=$2; shift 2 ;;
    -u) shift 2 ;;
    --) shift; break ;;
    *) shift ;;
  esac
done
printf '%s' "$prompt" >&2
IFS= read -r password
case $password in *become*) ;; *) echo "Sorry, try again: $password" >&2; exit 1 ;; esac
exec "$@"
`;

/** A module with a bug: it throws what it was given. */
const buggyModule = `
import { defineAction, type Secret } from 'runbook';
export default defineAction({
  name: 'buggy',
  summary: 'Throws its argument',
  schema: { type: 'object', additionalProperties: false, required: ['text'],
    properties: { text: { type: 'string', secret: true, description: 'x' } } },
  run: async ({ text }) => { throw new TypeError('cannot do ' + (text as Secret).reveal()); },
});
`;

const playbook = `
- hosts: all
  gather_facts: false
  vars_files: [secrets.yaml.age]
  vars_prompt:
    - { name: prompt_secret, prompt: A word, default: 'PROMPT' }
  vars:
    plain_secret: 'PLAIN'
    made: "{{ upper age_secret }} and {{ creds.password }}"
    encoded: !expr '"x" + age_secret + "y"'
  tasks:
    - { name: "name {{ age_secret }}", debug: { message: "{{ age_secret }} {{ vault_secret }}" } }
    - { name: value, debug: { value: "{{ creds }}" } }
    - { name: made, debug: { message: "{{ made }} {{ b64encode encoded }}" } }
    - { name: items, debug: { message: "{{ item }}" }, loop: ["{{ age_secret }}", "{{ inline_secret }}"] }
    - { name: labels, debug: { message: x }, loop: ["{{ extra_secret }}"], loop_control: { label: "<{{ item }}>" } }
    - { name: maps, debug: { message: x }, loop: [{ a: "{{ vault_secret }}" }] }
    - { name: remember, set-fact: { kept: "{{ age_secret }}", deep: { a: ["{{ vault_secret }}"] } } }
    - { name: kept, debug: { value: "{{ deep }}" } }
    - name: content
      copy: { content: "{{ kept }}", dest: "TARGET/{{ inventory_hostname }}/content", mode: "0600" }
      notify: told
    - { name: older, copy: { content: "{{ vault_secret }}", dest: "TARGET/{{ inventory_hostname }}/older" } }
    - { name: exactly, copy: { content: "{{ file_secret }}", dest: "TARGET/{{ inventory_hostname }}/exactly" }, register: put }
    - { name: what was put, debug: { value: "{{ put }}" } }
    - { name: encrypted file, copy: { src: key.age, dest: "TARGET/{{ inventory_hostname }}/key" } }
    - name: template
      file-template:
        src: app.conf.hbs
        dest: "TARGET/{{ inventory_hostname }}/app.conf"
        vars: { given: "{{ extra_secret }}" }
    - { name: sealed template, file-template: { src: sealed.hbs, dest: "TARGET/{{ inventory_hostname }}/sealed" } }
    - name: settings
      config-file:
        path: "TARGET/{{ inventory_hostname }}/settings.json"
        set: { a: { password: "{{ inline_secret }}", n: 1 } }
    - name: refused content
      copy:
        content: "{{ age_secret }}"
        dest: "TARGET/{{ inventory_hostname }}/refused"
        validate: cat %s >&2; base64 %s >&2; false
      ignore_errors: true
    - name: on stdin
      shell: { cmd: cat >/dev/null; sleep 0.3, stdin: "{{ vault_secret }}" }
    - name: in the environment
      shell:
        cmd: 'sh -c "sleep 0.3" visible-in-process-list; echo "$TOKEN"; printf %s "$TOKEN" | base64 -w0; echo "$OTHER" >&2'
        environment: { TOKEN: "{{ extra_secret }}" }
      environment: { OTHER: "{{ creds.password }}" }
      register: said
    - { name: said, debug: { value: "{{ said }}" }, when: "!check_mode" }
    - { name: guarded, shell: { cmd: "true", unless: 'sleep 0.2; test -n "$TOKEN"', environment: { TOKEN: "{{ made }}" } } }
    - { name: read, shell: { cmd: 'sleep 0.2; echo "$TOKEN"', reads: true, environment: { TOKEN: "{{ encoded }}" } }, register: read }
    - { name: what was read, debug: { value: "{{ read.stdout }}" }, when: "!check_mode" }
    - name: fails loudly
      shell: { cmd: 'echo "denied: $TOKEN" >&2; exit 3', environment: { TOKEN: "{{ prompt_secret }}" } }
      ignore_errors: true
    - name: too slow
      shell: { cmd: cat; sleep 20, stdin: "{{ inline_secret }}", timeout: 0.5 }
      ignore_errors: true
    - { name: not logged, shell: { cmd: 'echo "$P"', environment: { P: "{{ plain_secret }}" } }, no_log: true }
    - { block: [{ name: no word, command: { cmd: "echo {{ age_secret }}" } }], rescue: [{ debug: { message: rescued } }] }
    - { block: [{ name: no words, command: { argv: [echo, "{{ age_secret }}"] } }], rescue: [{ debug: { message: rescued } }] }
    - { block: [{ name: no message, fail: { message: "{{ vault_secret }}" } }], rescue: [{ debug: { message: rescued } }] }
    - { name: not so, assert: { that: 'age_secret + "x" == vault_secret' }, ignore_errors: true }
    - { block: [{ name: no condition, assert: { that: 'age_secret + "x"' } }], rescue: [{ debug: { message: rescued } }] }
    - { block: [{ name: no number, debug: { message: !expr 'string(int(age_secret))' } }], rescue: [{ debug: { message: rescued } }] }
    - { block: [{ name: no key, debug: { message: "{{ age_secret }} {{ lookup creds 'nokey' }}" } }], rescue: [{ debug: { message: rescued } }] }
    - { block: [{ name: no host, debug: { message: x }, delegate_to: "{{ vault_secret }}" }], rescue: [{ debug: { message: rescued } }] }
    - { block: [{ name: no user, shell: { cmd: "true" }, become: true, become_user: "{{ inline_secret }}" }], rescue: [{ debug: { message: rescued } }] }
    - { name: with sudo, shell: { cmd: sleep 0.2 }, become: true, become_user: nobody }
    - { block: [{ name: with wrong sudo, shell: { cmd: "true" }, become: true, become_user: daemon, vars: { ansible_become_password: "{{ vault_secret }}" } }], rescue: [{ debug: { message: rescued } }] }
    - { name: buggy, buggy: { text: "{{ made }}" }, ignore_errors: true }
    - { name: until, shell: { cmd: 'echo "$T"', environment: { T: "{{ age_secret }}" } }, register: r, until: 'r.stdout == age_secret', retries: 1, delay: 0 }
    - { name: only if, debug: { message: x }, when: 'age_secret.startsWith("nothing")' }
  handlers:
    - { name: told, shell: { cmd: 'echo "$T"; sleep 0.2', environment: { T: "{{ age_secret }}" } } }
`;

describe('a secret, wherever it stands', function () {
  this.timeout(300_000);
  let folder: string;
  let sshd: Sshd;
  const file = (name: string): string => join(folder, name);
  const write = (name: string, content: string): void => {
    mkdirSync(dirname(file(name)), { recursive: true });
    writeFileSync(file(name), content);
  };

  before(async function () {
    const reason = whyNoSshd();
    if (reason !== undefined) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'runbook-poison-'));
    for (const name of ['work', 'tmp', 'home', 'bin']) mkdirSync(file(name));
    write('bin/sudo', standInSudo);
    chmodSync(file('bin/sudo'), 0o755);
    sshd = await startSshd({ path: file('bin') });
    await writeProject();
  });
  after(async () => {
    await sshd?.[Symbol.asyncDispose]();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  async function writeProject(): Promise<void> {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const sealed = (text: string): Promise<string> => encryptAge(text, [recipient]);
    const yaml = (text: string): string => `'${text.replaceAll("'", "''")}'`;
    const { age, nested, vault, inline, extra, prompt, become, login } = poisons;
    write('identity', `# a key\n${identity}\n`);
    write('vault-password', 'the vault password\n');
    const secrets = `age_secret: ${yaml(age)}\nfile_secret: ${yaml(poisons.file)}\ncreds: { user: me, password: ${yaml(nested)} }\n`;
    write('src/secrets.yaml.age', await sealed(secrets));
    const vaulted = `vault_secret: ${yaml(vault)}\nansible_password: ${yaml(login)}\nvault_become: ${yaml(become)}\n`;
    write('src/group_vars/all/vault.yml', await encryptVault(vaulted, 'the vault password'));
    write('src/group_vars/all/main.yml', 'ansible_become_password: "{{ vault_become }}"\n');
    const value = (await encryptVault(inline, 'the vault password')).trim().replace(/^/gm, '  ');
    for (const host of ['n1', 'n2', 'n3']) write(`src/host_vars/${host}.yml`, `inline_secret: !vault |\n${value}\n`);
    write('src/extra.yaml', await encryptVault(`extra_secret: ${yaml(extra)}\n`, 'the vault password', 'lab'));
    write('src/files/key.age', await sealed(`key ${poisons.file}\n`));
    write('src/templates/sealed.hbs', await sealed(`sealed ${poisons.template} {{ inventory_hostname }}\n`));
    write(
      'src/templates/app.conf.hbs',
      'a={{ age_secret }}\nb={{ b64encode vault_secret }}\nc={{ json creds }}\nd={{ given }}\n',
    );
    write('src/modules/buggy.ts', buggyModule);
    const text = playbook.replaceAll('TARGET', file('target'));
    write('src/play.yaml', text.replace("'PROMPT'", yaml(prompt)).replace("'PLAIN'", yaml(poisons.plain)));
    const ssh = `ansible_host=127.0.0.1 ansible_port=${sshd.port} ansible_user=${sshd.user}`;
    const closed = 'ansible_host=127.0.0.1 ansible_port=1';
    const hosts = `[all]\nn1 ${ssh}\nn2 ansible_connection=local\nn3 ${closed} other='${poisons.inventory.replaceAll(/['"]/g, '')}'\n`;
    write('src/hosts.age', await sealed(hosts));
    poisonsOfInventory();
  }

  /** The INI format has no way to write both quotes. */
  function poisonsOfInventory(): void {
    const bare = poisons.inventory.replaceAll(/['"]/g, '');
    for (const form of formsOf(bare)) forms.push({ place: 'inventory', form });
  }

  /** What is on the hosts before a run: older contents, so that there is something to compare with. */
  function prepareHosts(): void {
    rmSync(file('target'), { recursive: true, force: true });
    for (const host of ['n1', 'n2']) {
      write(`target/${host}/older`, `what was there\n${poisons.vault}\nand more\n`);
      write(`target/${host}/app.conf`, `a=${poisons.nested}\n`);
      write(`target/${host}/settings.json`, `{ "a": { "password": ${JSON.stringify(poisons.age)} } }\n`);
    }
  }

  const keys = (): string[] => ['--identity', file('identity'), '--vault-id', `lab@${file('vault-password')}`];
  const run = (...args: string[]): Promise<CliRun> =>
    runCli(args, {
      cwd: file('work'),
      env: {
        HOME: sshd.home,
        TMPDIR: file('tmp'),
        XDG_CACHE_HOME: file('home/cache'),
        PATH: `${file('bin')}:${process.env.PATH ?? ''}`,
      },
    });

  /** What a run leaves behind besides what it was to write on the hosts. */
  function* artefacts(): Generator<{ path: string; text: string }> {
    for (const top of ['work', 'tmp', 'home']) {
      for (const name of readdirSync(file(top), { recursive: true, encoding: 'utf8' })) {
        const path = file(`${top}/${name}`);
        yield { path, text: path };
        if (statSync(path).isFile()) yield { path, text: readFileSync(path, 'latin1') + readFileSync(path, 'utf8') };
      }
    }
  }

  function expectNoLeak(what: string, texts: Iterable<{ path: string; text: string }>): void {
    const leaks = [...texts].flatMap(({ path, text }) => leaksIn(text).map((leak) => `${what}, ${path}: ${leak}`));
    expect(leaks.join('\n\n')).to.equal('');
  }

  const endOf = (done: CliRun): string => `${done.stdout.slice(-3000)}\n${done.stderr.slice(-3000)}`;

  async function watched(body: () => Promise<CliRun>): Promise<{ done: CliRun; watch: ProcessWatch }> {
    const watch = await watchProcesses();
    const done = await body().finally(() => watch.stop());
    return { done, watch };
  }

  for (const output of ['ndjson', 'plain', 'terminal']) {
    for (const mode of [['--check'], []]) {
      it(`is in nothing that ${['play --diff', ...mode, '--output', output].join(' ')} leaves behind`, async () => {
        prepareHosts();
        const args = [
          'play',
          file('src/play.yaml'),
          '-i',
          file('src/hosts.age'),
          ...keys(),
          '-e',
          `@${file('src/extra.yaml')}`,
        ];
        const { done, watch } = await watched(() => run(...args, '--diff', ...mode, '--output', output));
        expectNoLeak('output', [
          { path: 'stdout', text: done.stdout },
          { path: 'stderr', text: done.stderr },
        ]);
        expectNoLeak('files', artefacts());
        expectNoLeak('process list', [{ path: '/proc', text: [...watch.commandLines].join('\n') }]);
        expect(done.exitCode, endOf(done)).to.be.oneOf(mode.length > 0 ? [3, 4] : [4]);
        expect(done.stdout).to.contain('********').and.to.contain('told');
        if (mode.length > 0) return;
        // That the watch sees what there is to see, and that the secrets were where they belong.
        expect([...watch.commandLines].join('\n')).to.contain('visible-in-process-list');
        for (const host of ['n1', 'n2']) expectWritten(host);
      });
    }
  }

  function expectWritten(host: string): void {
    const written = (name: string): string => readFileSync(file(`target/${host}/${name}`), 'utf8');
    const { age, nested, vault, inline, extra, template } = poisons;
    expect(written('content')).to.equal(age);
    expect(written('older')).to.equal(vault);
    expect(written('exactly')).to.equal(poisons.file);
    expect(written('key')).to.equal(`key ${poisons.file}\n`);
    expect(written('sealed')).to.equal(`sealed ${template} ${host}\n`);
    const json = JSON.stringify({ user: 'me', password: nested });
    expect(written('app.conf')).to.equal(
      `a=${age}\nb=${Buffer.from(vault).toString('base64')}\nc=${json}\nd=${extra}\n`,
    );
    expect(JSON.parse(written('settings.json'))).to.deep.equal({ a: { password: inline, n: 1 } });
  }

  it('is in no message about a playbook that is wrong', async () => {
    const wrong = [
      'debug: { message: "{{ age_secret }} {{ nosuch_name }}" }',
      'debug: { message: !vault "VAULT", nosuch: 1 }',
      'command: { cmd: !vault "VAULT" }',
      'copy: { content: !vault "VAULT", dest: 7 }',
    ];
    const value = (await encryptVault(poisons.inline, 'the vault password')).trim().replaceAll('\n', '\\n');
    for (const [i, task] of wrong.entries()) {
      const head = '- hosts: all\n  vars_files: [secrets.yaml.age]\n  tasks:\n    - ';
      write(`src/wrong${i}.yaml`, `${head}${task.replace('VAULT', value)}\n`);
      const done = await run('play', file(`src/wrong${i}.yaml`), '-i', 'n1,', ...keys());
      expect(done.exitCode, done.stdout + done.stderr).to.equal(5);
      expectNoLeak(task, [{ path: 'stderr', text: done.stdout + done.stderr }]);
    }
  });

  it('is in no list of tasks and hosts, and in no answer about the inventory', async () => {
    const inventory = ['-i', file('src/hosts.age'), ...keys()];
    const asked = [
      ['play', file('src/play.yaml'), ...inventory, '-e', `@${file('src/extra.yaml')}`, '--list-tasks', '--list-hosts'],
      ['inventory', ...inventory, '--playbook-dir', file('src'), '--list', '--output', 'json'],
      ['inventory', ...inventory, '--playbook-dir', file('src'), '--list', '--output', 'yaml'],
      ['inventory', ...inventory, '--playbook-dir', file('src'), '--host', 'n3'],
      ['inventory', ...inventory, '--playbook-dir', file('src'), '--graph', '--vars'],
      ['lint', file('src/play.yaml'), ...inventory, '-e', `@${file('src/extra.yaml')}`],
      ['inventory', ...inventory, '--playbook-dir', file('src'), '--explain', 'vault_secret'],
    ];
    for (const args of asked) {
      const done = await run(...args);
      expect(done.exitCode, done.stdout + done.stderr).to.equal(0);
      expectNoLeak(args.join(' '), [{ path: 'output', text: done.stdout + done.stderr }]);
    }
  });

  it('is found by this test when it does leak', () => {
    for (const place of places) expect(leaksIn(`x${poisons[place]}y`), place).not.to.deep.equal([]);
    const encoded = execFileSync('base64', ['-w', '0'], { input: `some ${poisons.age} text`, encoding: 'utf8' });
    expect(leaksIn(encoded)).not.to.deep.equal([]);
  });
});

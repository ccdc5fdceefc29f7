import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import { excerpt } from '../../engine/base/source.ts';
import { compileNode, createCompileCache } from '../../engine/language/compile.ts';
import { createFileOpener, createKeylessOpener, type Keys } from '../../engine/language/encrypted-files.ts';
import { encryptAge, readIdentities } from '../../engine/language/encryption/age.ts';
import { decryptVault, encryptVault, parseVault } from '../../engine/language/encryption/ansible-vault.ts';
import { parseYaml } from '../../engine/language/yaml.ts';
import { mistakesIn } from './fakes.ts';

// Made by ansible-vault 2.14 with the password "correct horse".
const fixedVault = `$ANSIBLE_VAULT;1.2;AES256;lab
36626533636636343164616364623462336430613633313362616334623033393337346333616162
3462326435346163653363323164393232633535623433660a393933616361643436316236366535
61353731313536663963636431636262383332313366633831616238636662323734336531366235
3765383164363333330a666665353133333532373538353165656336313261376464373937353637
30313035313937636462646566303833393033386236393238646635316238386332`;

describe('encrypted files', () => {
  let folder: string;
  let identity: string;
  let recipient: string;
  const heard: string[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'runbook-secrets-'));
    identity = await generateX25519Identity();
    recipient = await identityToRecipient(identity);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => heard.splice(0));

  const keys = (over: Partial<Keys> = {}): Keys => ({
    identities: async () => [new Secret(identity)],
    askPassphrase: async () => new Secret('a passphrase'),
    vaultPasswords: async () => [
      { label: 'default', password: new Secret('wrong') },
      { label: 'lab', password: new Secret('correct horse') },
    ],
    ...over,
  });
  const opener = (over: Partial<Keys> = {}) => createFileOpener(keys(over), (secret) => heard.push(secret.reveal()));
  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const dataOf = async (path: string, over: Partial<Keys> = {}, scope = {}): Promise<Record<string, unknown>> => {
    const { root, diagnostics } = parseYaml(await opener(over).open(path, 'vars.yaml'));
    expect(diagnostics).to.deep.equal([]);
    if (!root) throw new Error('nothing was read');
    return compileNode(root, createCompileCache()).render(scope) as Record<string, unknown>;
  };
  const refusal = async (run: () => Promise<unknown>): Promise<string> => {
    const error = await run().then(
      () => expect.fail('it was read'),
      (thrown: unknown) => thrown as Error & { hint?: string },
    );
    return `${error.message}\n${error.hint ?? ''}`;
  };
  const reveal = (value: unknown): unknown => (value instanceof Secret ? `secret ${value.reveal()}` : value);
  const text = 'password: hunter2\npin: 0042\non: true\nnone: null\nempty: ""\nnested: { list: [deep] }\n';

  for (const form of ['armored', 'binary'] as const) {
    it(`read with age, ${form}: every text and number of them is a secret`, async () => {
      const encrypter = new Encrypter();
      encrypter.addRecipient(recipient);
      const file = form === 'armored' ? await encryptAge(text, [recipient]) : await encrypter.encrypt(text);
      const data = await dataOf(write('a.age', file));
      expect([data.password, data.pin].map(reveal)).to.deep.equal(['secret hunter2', 'secret 0042']);
      expect([data.on, data.none, data.empty]).to.deep.equal([true, null, '']);
      expect(reveal((data.nested as { list: unknown[] }).list[0])).to.equal('secret deep');
      expect(heard).to.deep.equal(['hunter2', '0042', 'deep']);
    });
  }

  it('are decrypted once, and anew when they are other files by then', async () => {
    let asked = 0;
    const identities = async (): Promise<Secret[]> => {
      asked++;
      return [new Secret(identity)];
    };
    const same = opener({ identities });
    const path = write('anew.age', await encryptAge('a: one', [recipient]));
    for (let i = 0; i < 3; i++) expect((await same.open(path)).text).to.equal('a: one');
    expect(asked).to.equal(1);
    write('anew.age', await encryptAge('a: two', [recipient]));
    expect((await same.open(path)).text).to.equal('a: two');
    expect(asked).to.equal(2);
  });

  it('read with age and a passphrase, which is asked for', async () => {
    const encrypter = new Encrypter();
    encrypter.setPassphrase('a passphrase');
    encrypter.setScryptWorkFactor(10);
    const path = write('p.age', await encrypter.encrypt(text));
    expect(reveal((await dataOf(path)).password)).to.equal('secret hunter2');
    const wrong = { askPassphrase: async () => new Secret('another') };
    expect(await refusal(() => opener(wrong).open(path))).to.contain('this passphrase does not open it');
  });

  it('are refused with a way out when they cannot be opened', async () => {
    const age = write('r.age', await encryptAge(text, [recipient]));
    const vault = write('r.yaml', await encryptVault(text, 'correct horse', 'prod'));
    const other = { identities: async () => [new Secret(await generateX25519Identity())] };
    const none = createKeylessOpener();
    expect(await refusal(() => opener(other).open(age))).to.contain('no identity opens it');
    expect(await refusal(() => none.open(age))).to.contain('--identity FILE');
    expect(await refusal(() => none.open(vault))).to.contain('--vault-password-file FILE');
    const wrong = { vaultPasswords: async () => [{ label: 'default', password: new Secret('x') }] };
    expect(await refusal(() => opener(wrong).open(vault))).to.contain('its label is "prod"');
    expect(await refusal(() => opener().open(write('d.age', 'age-encryption.org/v1\nnonsense')))).to.contain('damaged');
    const damaged = '$ANSIBLE_VAULT;1.1;AES256\n616\n';
    expect(await refusal(() => opener().open(write('d.yaml', damaged)))).to.contain('it is damaged');
    expect(await refusal(() => opener().open(write('o.yaml', '$ANSIBLE_VAULT;1.0;AES\n61\n')))).to.contain(
      'version 1.0',
    );
  });

  it('take identities as age-keygen writes them, and show no line of what is none', async () => {
    const file = Buffer.from(`# created: today\n# public key: ${recipient}\n${identity}\n`);
    expect(await readIdentities('key', file, keys())).to.deep.equal([identity]);
    const sealed = Buffer.from(await encryptAge(file, [recipient]));
    expect(await readIdentities('key', sealed, keys())).to.deep.equal([identity]);
    const wrong = await refusal(() => readIdentities('key', Buffer.from('# x\nhunter2\n'), keys()));
    expect(wrong).to.contain('line 2').and.not.to.contain('hunter2');
  });

  it('read with Ansible Vault, whole files and single values', async () => {
    const whole = write('v.yaml', await encryptVault(text, 'correct horse'));
    expect(reveal((await dataOf(whole)).pin)).to.equal('secret 0042');
    const value = (await encryptVault('hunter2', 'correct horse', 'lab')).trim();
    const inline = `open: 1\npassword: !vault |\n${value.replace(/^/gm, '  ')}\nquoted: !vault "${value.replaceAll('\n', '\\n')}"\n`;
    const data = await dataOf(write('i.yaml', inline));
    expect(Object.values(data).map(reveal)).to.deep.equal([1, 'secret hunter2', 'secret hunter2']);
    expect(heard.filter((text) => text === 'hunter2')).to.have.length(2);
  });

  it('say where a single value is that cannot be opened', async () => {
    const value = (await encryptVault('hunter2', 'another')).trim().replace(/^/gm, '  ');
    const { diagnostics } = parseYaml(await opener().open(write('w.yaml', `a: 1\nb: !vault |\n${value}\n`), 'w.yaml'));
    expect(diagnostics.map((d) => d.message)).to.deep.equal([
      'this value cannot be read: it is encrypted with Ansible Vault, and none of the vault passwords is the one that it was encrypted with, or it is damaged',
    ]);
  });

  it('hold templates, as in Ansible, whose text is secret', async () => {
    const path = write('t.age', await encryptAge('url: "https://{{ user }}@{{ host }}"\n', [recipient]));
    expect(reveal((await dataOf(path, {}, { user: 'me', host: 'h' })).url)).to.equal('secret https://me@h');
  });

  it('hold expressions, of which every text is secret and a number is none', async () => {
    const content = `a: !expr '"hunter" + n'\nb: !expr '[{"x": "hunter3"}]'\nc: !expr int(n) + 1\n`;
    const path = write('e.age', await encryptAge(content, [recipient]));
    const { a, b, c } = await dataOf(path, {}, { n: '2' });
    expect([reveal(a), c]).to.deep.equal(['secret hunter2', 3]);
    expect(JSON.stringify(b)).to.equal('[{"x":"********"}]');
    const { root } = parseYaml(await opener().open(path));
    if (!root) throw new Error('it is no YAML');
    expect(JSON.stringify(compileNode(root, createCompileCache()).written)).not.to.contain('hunter');
  });

  it('hold variables, no plays', async () => {
    const path = write('play.age', await encryptAge('- hosts: all\n', [recipient]));
    const { root, diagnostics } = parseYaml(await opener().open(path, 'play.age'));
    expect(root).to.equal(undefined);
    expect(diagnostics.map((d) => d.hint)).to.deep.equal(['encrypt the variables instead']);
  });

  it('show nothing of their text in messages', async () => {
    const cases = [
      'password: hunt}er2: x: y\n',
      'password: *hunter2\n',
      'password: !hunter2 x\n',
      'password: "hunter2\n',
    ];
    for (const [i, content] of cases.entries()) {
      const path = write(`m${i}.age`, await encryptAge(content, [recipient]));
      const { diagnostics } = parseYaml(await opener().open(path, 'm.age'));
      expect(diagnostics, content).not.to.deep.equal([]);
      const said = diagnostics.map((d) => `${d.message} ${d.hint} ${d.range ? excerpt(d.range) : ''}`).join('\n');
      expect(said.replaceAll(/hint/g, ''), said).not.to.match(/hunt|er2/);
    }
    const path = write('n.age', await encryptAge('password: "{{ hunter2"\n', [recipient]));
    const { root } = parseYaml(await opener().open(path, 'n.age'));
    const said = await mistakesIn(() => root && compileNode(root, createCompileCache()));
    expect(said).to.contain('no valid template').and.not.to.contain('hunter2');
  });
});

describe('Ansible Vault', () => {
  it('opens what it wrote, and nothing that was changed', async () => {
    for (const text of ['', 'x', 'sixteen letters!', 'grüße\n'.repeat(100)]) {
      const vault = parseVault(await encryptVault(text, 'pässword', 'a-label'));
      if (typeof vault === 'string') throw new Error(vault);
      expect(vault.label).to.equal('a-label');
      expect((await decryptVault(vault, 'pässword'))?.toString()).to.equal(text);
      expect(await decryptVault(vault, 'password')).to.equal(undefined);
      vault.ciphertext[0] = (vault.ciphertext[0] ?? 0) ^ 1;
      expect(await decryptVault(vault, 'pässword')).to.equal(undefined);
    }
  });

  it('opens a text of ansible-vault 2.14', async () => {
    const vault = parseVault(fixedVault);
    if (typeof vault === 'string') throw new Error(vault);
    expect(vault.label).to.equal('lab');
    expect((await decryptVault(vault, 'correct horse'))?.toString()).to.equal('password: grüße\n');
  });

  it('agrees with ansible-vault in both directions', async function () {
    const required = process.env.CI_REQUIRE_ANSIBLE === '1';
    if (!required && !hasAnsibleVault()) this.skip();
    this.timeout(60_000);
    const folder = mkdtempSync(join(tmpdir(), 'runbook-vault-'));
    const file = (name: string): string => join(folder, name);
    const run = (...args: string[]): string => execFileSync('ansible-vault', args, { encoding: 'utf8', cwd: folder });
    try {
      writeFileSync(file('password'), 'pässword\n');
      writeFileSync(file('ours'), await encryptVault('grüße: 1\n', 'pässword', 'lab'));
      expect(run('view', '--vault-id', 'lab@password', 'ours')).to.equal('grüße: 1\n');
      const vault = parseVault(
        run('encrypt_string', '--vault-password-file', 'password', 'grüße').replace('!vault |', ''),
      );
      if (typeof vault === 'string') throw new Error(vault);
      expect((await decryptVault(vault, 'pässword'))?.toString()).to.equal('grüße');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function hasAnsibleVault(): boolean {
  try {
    execFileSync('ansible-vault', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

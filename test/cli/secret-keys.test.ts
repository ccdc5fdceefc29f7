import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Encrypter, generateX25519Identity } from 'age-encryption';
import { expect } from 'chai';
import { createMasker } from '../../engine/base/masker.ts';
import type { Cli } from '../../engine/cli/cli.ts';
import { createKeys } from '../../engine/cli/keys.ts';
import { askPassword } from '../../engine/cli/passwords.ts';
import { askPrompts } from '../../engine/cli/prompts.ts';
import type { SecretOptions } from '../../engine/cli/secret-options.ts';
import type { Play, Prompt } from '../../engine/language/playbook.ts';

/** A terminal on which somebody types these lines. */
function terminal(typed = '', options: { isTTY?: boolean; env?: Record<string, string> } = {}) {
  let shown = '';
  const modes: string[] = [];
  const setRawMode = (isRaw: boolean): PassThrough => {
    modes.push(`${isRaw ? 'raw' : 'usual'} after "${shown}"`);
    return stdin;
  };
  const stdin = Object.assign(new PassThrough(), { isTTY: options.isTTY ?? true, setRawMode });
  stdin.write(typed);
  const output = { write: (text: string) => void (shown += text) };
  const masker = createMasker();
  const cli = { env: options.env ?? {}, stdin, output, errors: output, masker, onExit: () => {} } as unknown as Cli;
  return { cli, masker, shown: () => shown, modes };
}

const noOptions: SecretOptions = { identity: [], vaultPasswordFile: [], vaultId: [], askVaultPass: false };

describe('the keys of encrypted files', () => {
  let folder: string;
  const file = (name: string): string => join(folder, name);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runbook-keys-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const identitiesOf = async (cli: Cli, options: Partial<SecretOptions> = {}): Promise<string[]> =>
    (await createKeys(cli, { ...noOptions, ...options }).identities()).map((identity) => identity.reveal());

  it('are the identities that are named, else those of the environment, else those of the user', async () => {
    const [a, b, c] = [await generateX25519Identity(), await generateX25519Identity(), await generateX25519Identity()];
    await writeFile(file('a'), a);
    await writeFile(file('b'), `# x\n${b}\n`);
    await mkdir(file('config/runbook'), { recursive: true });
    await writeFile(file('config/runbook/identity'), c);
    const env = { XDG_CONFIG_HOME: file('config') };
    const named = { ...env, RUNBOOK_AGE_IDENTITY: `${file('a')}:${file('b')}` };
    expect(await identitiesOf(terminal('', { env }).cli)).to.deep.equal([c]);
    expect(await identitiesOf(terminal('', { env: named }).cli)).to.deep.equal([a, b]);
    expect(await identitiesOf(terminal('', { env: named }).cli, { identity: [file('b')] })).to.deep.equal([b]);
    expect(await identitiesOf(terminal('', { env: { XDG_CONFIG_HOME: folder } }).cli)).to.deep.equal([]);
  });

  it('are hidden like everything else that is secret', async () => {
    const identity = await generateX25519Identity();
    await writeFile(file('a'), identity);
    const { cli, masker } = terminal();
    await identitiesOf(cli, { identity: [file('a')] });
    expect(masker.mask(`key ${identity}`)).to.equal('key ********');
  });

  it('say which file cannot be used', async () => {
    const wrong = async (path: string): Promise<string> =>
      identitiesOf(terminal().cli, { identity: [path] }).then(
        () => expect.fail('it was used'),
        (error: Error) => error.message,
      );
    expect(await wrong(file('none'))).to.equal(`--identity ${file('none')}: there is no such file`);
    await writeFile(file('bad'), 'AGE-SECRET-KEY-1hunter2');
    expect(await wrong(file('bad')))
      .to.contain('line 1 of it is no secret key')
      .and.not.to.contain('hunter2');
  });

  it('are asked for once when the identity itself is encrypted', async () => {
    const identity = await generateX25519Identity();
    const encrypter = new Encrypter();
    encrypter.setPassphrase('hunter2');
    encrypter.setScryptWorkFactor(10);
    await writeFile(file('sealed'), await encrypter.encrypt(identity));
    const { cli, shown } = terminal('hunter2\r');
    const keys = createKeys(cli, { ...noOptions, identity: [file('sealed')] });
    const [first, second] = await Promise.all([keys.identities(), keys.identities()]);
    expect([first[0]?.reveal(), second]).to.deep.equal([identity, first]);
    expect(shown()).to.equal(`Passphrase of ${file('sealed')}: \n`);
  });

  it('are vault passwords from files, programs and the terminal, with their labels', async () => {
    await writeFile(file('dev'), ' from a file \n\n');
    await writeFile(file('program'), '#!/bin/sh\necho "from a program: $*"\n');
    await writeFile(file('vault-client.sh'), '#!/bin/sh\necho "from a client: $*"\n');
    await chmod(file('program'), 0o755);
    await chmod(file('vault-client.sh'), 0o755);
    const { cli, shown } = terminal('typed\rtyped too\r');
    const passwords = await createKeys(cli, {
      ...noOptions,
      vaultId: [`dev@${file('dev')}`, `prod@${file('vault-client.sh')}`, 'lab@prompt'],
      vaultPasswordFile: [file('program')],
      askVaultPass: true,
    }).vaultPasswords();
    expect(passwords.map(({ label, password }) => [label, password.reveal()])).to.deep.equal([
      ['dev', 'from a file'],
      ['prod', 'from a client: --vault-id prod'],
      ['lab', 'typed'],
      ['default', 'from a program:'],
      ['default', 'typed too'],
    ]);
    expect(shown()).to.equal('Vault password (lab): \nVault password: \n');
  });

  it('are the vault password of the environment when no other is given', async () => {
    await writeFile(file('usual'), 'usual');
    const env = { ANSIBLE_VAULT_PASSWORD_FILE: file('usual') };
    const given = async (options: Partial<SecretOptions>): Promise<string[]> =>
      (await createKeys(terminal('', { env }).cli, { ...noOptions, ...options }).vaultPasswords()).map((p) =>
        p.password.reveal(),
      );
    await writeFile(file('other'), 'other');
    expect(await given({})).to.deep.equal(['usual']);
    expect(await given({ vaultPasswordFile: [file('other')] })).to.deep.equal(['other']);
  });

  it('cannot be asked for without a terminal', async () => {
    const { cli } = terminal('', { isTTY: false });
    const error = await createKeys(cli, { ...noOptions, askVaultPass: true })
      .vaultPasswords()
      .catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'usage' }).and.to.have.property('message').that.contains('is no terminal');
  });
});

describe('a question', () => {
  it('hides what is typed before it can be seen, and gives the terminal back', async () => {
    for (const [typed, expected] of [
      ['hunter2\r', 'hunter2'],
      ['hunt\u0003', 'interrupted; nothing was contacted'],
    ] as const) {
      const { cli, modes, shown } = terminal(typed);
      const answer = await askPassword(cli, 'Word').then(
        (secret) => secret.reveal(),
        (error: Error) => error.message,
      );
      expect(answer).to.equal(expected);
      expect(modes).to.deep.equal(['raw after ""', 'usual after "Word: "']);
      expect(shown()).to.equal('Word: \n');
    }
  });
});

describe('vars_prompt', () => {
  const prompt = (over: Partial<Prompt> & { name: string }): Prompt => ({
    // Nobody looks at the place.
    range: { source: { path: 'p.yaml', text: '' }, start: 0, end: 0 },
    text: `${over.name}?`,
    isPrivate: true,
    isConfirmed: false,
    ...over,
  });
  const plays = (...prompts: Prompt[][]): Play[] =>
    // Only these two fields are read.
    prompts.map((of, i) => ({ id: `play-${i + 1}`, prompts: of }) as unknown as Play);
  const said = (answers: ReadonlyMap<string, Readonly<Record<string, unknown>>>, play: string): unknown =>
    JSON.parse(JSON.stringify(answers.get(play)));

  it('makes a secret of a private answer, and hides what is typed', async () => {
    const { cli, masker, shown } = terminal('hunter2\rplain\r');
    const answers = await askPrompts(cli, plays([prompt({ name: 'a' }), prompt({ name: 'b', isPrivate: false })]), {});
    expect(said(answers, 'play-1')).to.deep.equal({ a: '********', b: 'plain' });
    expect(shown()).to.contain('a?: \n').and.to.contain('b?: plain\n').and.not.to.contain('hunter2');
    expect(masker.mask('it is hunter2')).to.equal('it is ********');
  });

  it('is answered once for plays that ask the same, and not at all by what -e gives', async () => {
    const { cli, masker, shown } = terminal('one\r');
    const open = prompt({ name: 'a', isPrivate: false });
    const answers = await askPrompts(cli, plays([open], [open, prompt({ name: 'b' })]), { b: 'hunter2' });
    expect([said(answers, 'play-1'), said(answers, 'play-2')]).to.deep.equal([{ a: 'one' }, { a: 'one' }]);
    expect(shown()).to.equal('a?: one\n');
    expect(masker.mask('hunter2')).to.equal('********');
  });

  it('takes the default for an empty answer', async () => {
    const { cli, shown } = terminal('\r\r');
    const open = prompt({ name: 'a', isPrivate: false, default: 'usual' });
    const hidden = prompt({ name: 'b', default: 'hunter2' });
    const answers = await askPrompts(cli, plays([open, hidden]), {});
    expect(said(answers, 'play-1')).to.deep.equal({ a: 'usual', b: '********' });
    expect(shown()).to.contain('a? [usual]: ').and.not.to.contain('hunter2');
  });

  it('asks again until two answers are the same', async () => {
    const { cli, shown } = terminal('one\rtwo\rthree\rthree\r');
    const answers = await askPrompts(cli, plays([prompt({ name: 'a', isPrivate: false, isConfirmed: true })]), {});
    expect(said(answers, 'play-1')).to.deep.equal({ a: 'three' });
    expect(shown()).to.contain('The two answers are not the same.');
  });

  it('takes the default without a terminal, and says how to give what has none', async () => {
    const { cli } = terminal('', { isTTY: false });
    const answers = await askPrompts(cli, plays([prompt({ name: 'a', default: 'hunter2' })]), {});
    expect(said(answers, 'play-1')).to.deep.equal({ a: '********' });
    const error = await askPrompts(cli, plays([prompt({ name: 'a' })]), {}).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'usage', hint: 'give it: -e a=…, or in an encrypted file: -e @FILE' });
  });

  it('takes back what was typed wrongly', async () => {
    const { cli } = terminal('wrong\u0015ab\u007fc\r');
    const answers = await askPrompts(cli, plays([prompt({ name: 'a', isPrivate: false })]), {});
    expect(said(answers, 'play-1')).to.deep.equal({ a: 'ac' });
  });
});

import { execFile } from 'node:child_process';
import { access, constants, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, delimiter, join, resolve } from 'node:path';
import { fileProblem, hintOf, RunbookError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Keys, VaultPassword } from '../language/encrypted-files.ts';
import { readIdentities } from '../language/encryption/age.ts';
import type { Cli } from './cli.ts';
import { askPassword } from './passwords.ts';
import type { SecretOptions } from './secret-options.ts';

/** The keys that options, the environment and the user's own files give; each is read or asked for once, when needed. */
export function createKeys(cli: Cli, options: SecretOptions): Keys {
  let lastQuestion: Promise<unknown> = Promise.resolve();
  // Files are read side by side; a terminal asks one thing at a time.
  const ask = (question: string): Promise<Secret> => {
    const answer = lastQuestion.then(() => askPassword(cli, question, 'give the key with an option or a file instead'));
    lastQuestion = answer.catch(() => {});
    return answer;
  };
  const keys: Keys = {
    identities: once(() => readAllIdentities(cli, options, keys)),
    askPassphrase: (path) => ask(`Passphrase of ${path}`),
    vaultPasswords: once(() => readVaultPasswords(cli, options, ask)),
  };
  return keys;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

async function readAllIdentities(cli: Cli, options: SecretOptions, keys: Keys): Promise<Secret[]> {
  const identities: Secret[] = [];
  for (const { path, origin } of await identityFiles(cli, options)) {
    try {
      const lines = await readIdentities(path, await readFile(path), keys);
      identities.push(...lines.map((line) => cli.masker.secret(line)));
    } catch (error) {
      throw new RunbookError('file-unreadable', `${origin} ${path}: ${fileProblem(error)}`, hintOf(error));
    }
  }
  return identities;
}

async function identityFiles(
  { env }: Cli,
  { identity }: SecretOptions,
): Promise<readonly { readonly path: string; readonly origin: string }[]> {
  if (identity.length > 0) return identity.map((path) => ({ path, origin: '--identity' }));
  const named = env.RUNBOOK_AGE_IDENTITY;
  if (named) return named.split(delimiter).map((path) => ({ path, origin: 'RUNBOOK_AGE_IDENTITY' }));
  const path = join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'runbook', 'identity');
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  return isThere ? [{ path, origin: 'the identity' }] : [];
}

async function readVaultPasswords(
  cli: Cli,
  options: SecretOptions,
  ask: (question: string) => Promise<Secret>,
): Promise<VaultPassword[]> {
  const sources = [...options.vaultId.map(parseVaultId), ...options.vaultPasswordFile.map(unlabelled)];
  if (options.askVaultPass) sources.push({ label: 'default', source: 'prompt' });
  const usual = cli.env.ANSIBLE_VAULT_PASSWORD_FILE;
  if (sources.length === 0 && usual) sources.push(unlabelled(usual));
  const passwords: VaultPassword[] = [];
  for (const { label, source } of sources) {
    const password =
      source === 'prompt'
        ? await ask(`Vault password${label === 'default' ? '' : ` (${label})`}`)
        : cli.masker.secret(await readVaultPassword(source, label));
    passwords.push({ label, password });
  }
  return passwords;
}

interface VaultSource {
  readonly label: string;
  /** A path, or `prompt`. */
  readonly source: string;
}

function parseVaultId(text: string): VaultSource {
  const at = text.indexOf('@');
  return at === -1 ? unlabelled(text) : { label: text.slice(0, at) || 'default', source: text.slice(at + 1) };
}

function unlabelled(source: string): VaultSource {
  return { label: 'default', source };
}

/** The text of a file, or what a file that can be executed prints: as Ansible does, without space around it. */
async function readVaultPassword(path: string, label: string): Promise<string> {
  try {
    const isProgram = ((await stat(path)).mode & 0o111) !== 0;
    if (isProgram) await access(path, constants.X_OK);
    const password = (isProgram ? await runProgram(path, label) : await readFile(path, 'utf8')).trim();
    if (password === '') throw new RunbookError('file-unreadable', 'it gives no password');
    return password;
  } catch (error) {
    throw new RunbookError('file-unreadable', `the vault password file ${path}: ${fileProblem(error)}`);
  }
}

/** A program whose name ends in `-client` is told which password is wanted. */
function runProgram(path: string, label: string): Promise<string> {
  const isClient = basename(path)
    .replace(/\.[^.]*$/, '')
    .endsWith('-client');
  return new Promise((done, reject) => {
    execFile(resolve(path), isClient ? ['--vault-id', label] : [], (error, stdout, stderr) => {
      if (!error) return done(stdout);
      const said = stderr.trim().split('\n').at(-1) ?? '';
      reject(new RunbookError('file-unreadable', `the program failed${said === '' ? '' : `: ${said}`}`));
    });
  });
}

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileProblem, hintOf, RunbookError } from '../base/errors.ts';
import { encryptAge, generateIdentity, isAge, recipientOf } from '../language/encryption/age.ts';
import type { Cli } from './cli.ts';
import { createKeys } from './keys.ts';
import { openerFor, type SecretOptions } from './secret-options.ts';
import type { EncryptOptions } from './secrets.ts';

/** Makes a secret key in a file that only its owner may read, and prints its recipient. */
export async function makeKey(cli: Cli, path: string): Promise<void> {
  const identity = await generateIdentity();
  const recipient = await recipientOf(identity);
  const content = `# created: ${new Date().toISOString()}\n# public key: ${recipient}\n${identity}\n`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeNew(path, content, 0o600);
  cli.output.write(`${recipient}\n`);
}

/** Encrypts a file for the recipients that are named, else for one's own identities. */
export async function encryptFile(cli: Cli, path: string, options: EncryptOptions): Promise<void> {
  const recipients = options.recipient.length > 0 ? options.recipient : await ownRecipients(cli, options);
  const content = path === '-' ? await text(cli.stdin) : await read(path);
  if (typeof content !== 'string' && isAge(content)) throw new RunbookError('usage', `${path} is encrypted already`);
  const output = options.output ?? (path === '-' ? undefined : `${path}.age`);
  const encrypted = await encryptAge(content, recipients);
  if (output === undefined) return cli.output.write(encrypted);
  await writeNew(output, encrypted, 0o644);
  const hint = path === '-' ? '' : `; ${path} is still there in clear`;
  cli.errors.write(`${output} is written${hint}\n`);
}

/** Prints what is in an encrypted file: what was asked for, so it is not masked. */
export async function viewFile(cli: Cli, path: string, options: SecretOptions): Promise<void> {
  const opener = await openerFor(cli, options);
  try {
    const { bytes, isSecret } = await opener.openBytes(path);
    if (!isSecret) cli.errors.write(`${path} is not encrypted\n`);
    cli.output.write(bytes.toString('utf8'));
  } catch (error) {
    throw new RunbookError('file-unreadable', `cannot read ${path}: ${fileProblem(error)}`, hintOf(error));
  }
}

async function ownRecipients(cli: Cli, options: SecretOptions): Promise<string[]> {
  const identities = await createKeys(cli, options).identities();
  if (identities.length > 0) return Promise.all(identities.map((identity) => recipientOf(identity.reveal())));
  const hint = 'say for whom with --recipient age1…, or make a key: runbook secrets keygen ~/.config/runbook/identity';
  throw new RunbookError('usage', 'there is nobody to encrypt for', { hint });
}

async function read(path: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    throw new RunbookError('file-unreadable', `cannot read ${path}: ${fileProblem(error)}`);
  });
}

/** A key that is overwritten takes everything with it that was encrypted for it. */
async function writeNew(path: string, content: string, mode: number): Promise<void> {
  await writeFile(path, content, { flag: 'wx', mode }).catch((error: NodeJS.ErrnoException) => {
    const problem = error.code === 'EEXIST' ? 'it is there already, and is not overwritten' : fileProblem(error);
    throw new RunbookError('usage', `cannot write ${path}: ${problem}`);
  });
}

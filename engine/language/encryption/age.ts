import { errorMessage, RunbookError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';

/** What opens files that age encrypted. */
export interface AgeKeys {
  /** Secret keys: `AGE-SECRET-KEY-1…`. */
  readonly identities: () => Promise<readonly Secret[]>;
  /** Asks for the passphrase of a file; raises an error where nobody can be asked. */
  readonly askPassphrase: (path: string) => Promise<Secret>;
}

const binaryHeader = 'age-encryption.org/v1\n';
const armorHeader = '-----BEGIN AGE ENCRYPTED FILE-----';

/** Whether these are the first bytes of a file that age encrypted, in binary or armored. */
export function isAge(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 256)).toString('latin1');
  return start.startsWith(binaryHeader) || start.trimStart().startsWith(armorHeader);
}

/** The bytes inside. Raises `file-unreadable` with what is to be read after "cannot read FILE: ". */
export async function decryptAge(path: string, file: Uint8Array, keys: AgeKeys): Promise<Uint8Array> {
  const { Decrypter, armor } = await import('age-encryption');
  const bytes = await plainly('it is damaged', () => {
    const text = Buffer.from(file).toString('latin1');
    return text.startsWith(binaryHeader) ? file : armor.decode(text.trim());
  });
  const decrypter = new Decrypter();
  const recipients = recipientsOf(bytes);
  if (recipients.includes('scrypt')) {
    decrypter.addPassphrase((await keys.askPassphrase(path)).reveal());
    return plainly('this passphrase does not open it', () => decrypter.decrypt(bytes));
  }
  const identities = await keys.identities();
  if (identities.length === 0) {
    const hint = 'name the file with your secret key: --identity FILE';
    throw new RunbookError('file-unreadable', 'it is encrypted with age, and there is no identity to open it', {
      hint,
    });
  }
  for (const identity of identities) decrypter.addIdentity(identity.reveal());
  const others = recipients.filter((kind) => kind.startsWith('ssh-'));
  const hint = others.length > 0 ? `it is encrypted for an SSH key, and only age's own keys are supported` : undefined;
  return plainly('no identity opens it, or it is damaged', () => decrypter.decrypt(bytes), hint);
}

/** The secret keys of an identity file, as age-keygen writes it. Raises `file-unreadable` without showing a line. */
export async function readIdentities(path: string, file: Uint8Array, keys: AgeKeys): Promise<string[]> {
  const bytes = isAge(file) ? await decryptAge(path, file, keys) : file;
  const lines = Buffer.from(bytes).toString('utf8').split(/\r?\n/);
  const identities: string[] = [];
  for (const [i, line] of lines.entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    if (!/^AGE-SECRET-KEY-(PQ-)?1[A-Z0-9]+$/.test(text)) {
      const hint = 'age-keygen and "runbook secrets keygen" make such files; SSH keys and plugins are not supported';
      throw new RunbookError('file-unreadable', `line ${i + 1} of it is no secret key of age`, { hint });
    }
    identities.push(text);
  }
  if (identities.length === 0) throw new RunbookError('file-unreadable', 'there is no secret key of age in it');
  return identities;
}

/** Encrypts for recipients (`age1…`), armored. Raises an error that names a recipient that is none. */
export async function encryptAge(text: string | Uint8Array, recipients: readonly string[]): Promise<string> {
  const { Encrypter, armor } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (error) {
      throw new RunbookError('usage', `"${recipient}" is no recipient of age: it begins with age1`, { cause: error });
    }
  }
  return `${armor.encode(await encrypter.encrypt(Uint8Array.from(Buffer.from(text)))).trimEnd()}\n`;
}

/** The kinds of the header's stanzas: `X25519`, `scrypt`, `ssh-ed25519`. */
function recipientsOf(bytes: Uint8Array): string[] {
  const header =
    Buffer.from(bytes.subarray(0, 64 * 1024))
      .toString('latin1')
      .split('\n---')[0] ?? '';
  return [...header.matchAll(/^-> (\S+)/gm)].map((match) => match[1] ?? '');
}

async function plainly<T>(problem: string, run: () => T | Promise<T>, hint?: string): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const said = errorMessage(error);
    throw new RunbookError('file-unreadable', problem, { hint, cause: said });
  }
}

/** A new secret key. */
export async function generateIdentity(): Promise<string> {
  return (await import('age-encryption')).generateX25519Identity();
}

/** The recipient (`age1…`) of a secret key. */
export async function recipientOf(identity: string): Promise<string> {
  return (await import('age-encryption')).identityToRecipient(identity);
}

import { open, readFile } from 'node:fs/promises';
import { isScalar, parseDocument, visit } from 'yaml';
import { errorMessage, RunbookError } from '../base/errors.ts';
import { fileDigest } from '../base/file-digest.ts';
import { Secret, type SecretListener } from '../base/secret.ts';
import type { Source } from '../base/source.ts';
import { type AgeKeys, decryptAge, isAge } from './encryption/age.ts';
import { decryptVault, parseVault, vaultHeader } from './encryption/ansible-vault.ts';

/** A password of Ansible Vault, with the label that encrypted texts may name. */
export interface VaultPassword {
  readonly label: string;
  readonly password: Secret;
}

/** What opens encrypted files. Asked only when there is one. */
export interface Keys extends AgeKeys {
  readonly vaultPasswords: () => Promise<readonly VaultPassword[]>;
}

/** A file as the language reads it: in clear, with what in it is to be kept secret. */
export interface OpenedSource extends Source {
  /** Makes a secret of a text of this file; set when the whole file was encrypted. */
  readonly seal?: (text: string) => Secret;
  /** What `!vault` values say, or why they cannot be read, by {@link vaultKey}. */
  readonly vaulted?: ReadonlyMap<string, Secret | string>;
}

/** Reads files that may be encrypted. Everything is read through one of these, so that all secrets are known. */
export interface FileOpener {
  /** A text; `shown` is its path for people. Raises `file-unreadable`, to be read after "cannot read FILE: ". */
  open(path: string, shown?: string): Promise<OpenedSource>;
  /** The bytes of any file, and whether they were encrypted. */
  openBytes(path: string): Promise<{ readonly bytes: Buffer; readonly isSecret: boolean }>;
  /** The SHA-256 of a file as it is, in hexadecimal: for those that are not encrypted, and too large to be held. */
  digest(path: string): Promise<string>;
}

/** Whether a file is encrypted, by its first bytes. */
export async function isEncrypted(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
  const start = buffer.subarray(0, bytesRead);
  return isAge(start) || startsWithVault(start);
}

/** Makes an opener; `listener` is told of every secret that it meets. */
export function createFileOpener(keys: Keys, listener: SecretListener): FileOpener {
  // A passphrase is asked for once, however often the file is read, unless it is another by then.
  const decrypted = new Map<string, { readonly raw: Buffer; readonly bytes: Promise<Buffer> }>();
  const readBytes: FileOpener['openBytes'] = async (path) => {
    const raw = await readFile(path);
    if (!isAge(raw) && !startsWithVault(raw)) return { bytes: raw, isSecret: false };
    const known = decrypted.get(path);
    const bytes = known?.raw.equals(raw) ? known.bytes : decrypt(path, raw, keys);
    decrypted.set(path, { raw, bytes });
    return { bytes: await bytes, isSecret: true };
  };
  const seal = (text: string): Secret => {
    const secret = new Secret(text, listener);
    listener(secret, false);
    return secret;
  };
  return {
    digest: fileDigest,
    async openBytes(path) {
      const opened = await readBytes(path);
      if (opened.isSecret && opened.bytes.length <= largestKnown) seal(opened.bytes.toString('utf8'));
      return opened;
    },
    async open(path, shown = path) {
      const { bytes, isSecret } = await readBytes(path);
      const text = bytes.toString('utf8');
      if (isSecret) return { path: shown, text, isSecret, seal };
      if (!text.includes(vaultTag)) return { path: shown, text };
      return { path: shown, text, vaulted: await openValues(text, keys, seal) };
    },
  };
}

/** Keys and certificates are smaller; of larger files nobody looks for every line. Bytes. */
const largestKnown = 64 * 1024;

async function decrypt(path: string, raw: Buffer, keys: Keys): Promise<Buffer> {
  if (isAge(raw)) return Buffer.from(await decryptAge(path, raw, keys));
  const opened = await openVault(raw.toString('latin1'), keys);
  if (typeof opened !== 'string') return opened;
  throw new RunbookError('file-unreadable', opened, { hint: opened.includes('password') ? vaultHint : undefined });
}

/** An opener without keys: what is encrypted is an error that says how to give them. */
export function createKeylessOpener(): FileOpener {
  const none = async (): Promise<never[]> => [];
  const askPassphrase = (): Promise<never> => {
    throw new RunbookError('file-unreadable', 'it is encrypted with a passphrase, which cannot be asked here');
  };
  return createFileOpener({ identities: none, askPassphrase, vaultPasswords: none }, () => {});
}

/** Data of a file that is no YAML (an INI inventory): its texts and numbers are secrets when the file was encrypted. */
export function sealed(data: unknown, source: OpenedSource): unknown {
  const { seal } = source;
  if (!seal || data === '') return data;
  if (typeof data === 'string' || typeof data === 'number') return seal(String(data));
  if (Array.isArray(data)) return data.map((item) => sealed(item, source));
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, sealed(value, source)]));
}

/** The tag of a single value that Ansible Vault encrypted. */
export const vaultTag = '!vault';

/** A vault text however it is indented and quoted. */
export function vaultKey(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, '\n');
}

const vaultHint = 'give the password with --vault-password-file FILE, --vault-id LABEL@FILE or --ask-vault-pass';

function startsWithVault(bytes: Buffer): boolean {
  return bytes.subarray(0, vaultHeader.length).toString('latin1') === vaultHeader;
}

/** What is inside; a text says why it cannot be read. The passwords whose label is the text's are tried first. */
async function openVault(text: string, keys: Keys): Promise<Buffer | string> {
  const vault = parseVault(text);
  if (typeof vault === 'string') return vault;
  const passwords = await keys.vaultPasswords();
  if (passwords.length === 0) return 'it is encrypted with Ansible Vault, and no password for it was given';
  const ofLabel = passwords.filter(({ label }) => label === vault.label);
  for (const { password } of new Set([...ofLabel, ...passwords])) {
    const opened = await decryptVault(vault, password.reveal());
    if (opened) return opened;
  }
  const whose = vault.label === undefined ? '' : ` (its label is "${vault.label}")`;
  const tried = passwords.length === 1 ? 'the vault password is not the one' : 'none of the vault passwords is the one';
  // Its signature fits neither a wrong password nor a text of which a part is missing.
  return `it is encrypted with Ansible Vault, and ${tried} that it was encrypted with${whose}, or it is damaged`;
}

/** Every `!vault` value of a text. What is no YAML has none: parsing it says so. */
async function openValues(
  text: string,
  keys: Keys,
  seal: (text: string) => Secret,
): Promise<ReadonlyMap<string, Secret | string>> {
  const found = new Set<string>();
  const customTags = [{ tag: vaultTag, resolve: (value: string) => value }];
  visit(parseDocument(text, { merge: true, uniqueKeys: false, logLevel: 'silent', customTags }), {
    Scalar: (_, node) => {
      if (isScalar(node) && node.tag === vaultTag) found.add(vaultKey(String(node.value)));
    },
  });
  const opened = await Promise.all(
    [...found].map(async (value) => [value, await openValue(value, keys, seal)] as const),
  );
  return new Map(opened);
}

async function openValue(value: string, keys: Keys, seal: (text: string) => Secret): Promise<Secret | string> {
  try {
    const opened = await openVault(value, keys);
    return typeof opened === 'string' ? opened : seal(opened.toString('utf8'));
  } catch (error) {
    // A password file that cannot be read, a prompt that cannot be asked.
    return errorMessage(error);
  }
}

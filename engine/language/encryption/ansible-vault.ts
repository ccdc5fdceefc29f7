import { createCipheriv, createDecipheriv, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** What Ansible Vault encrypted: a whole file, or one value of a YAML file. */
export interface VaultText {
  /** The label after the cipher, in format 1.2 only. */
  readonly label?: string;
  readonly salt: Buffer;
  readonly hmac: Buffer;
  readonly ciphertext: Buffer;
}

/** How every text that Ansible Vault encrypted begins. */
export const vaultHeader = '$ANSIBLE_VAULT;';

/** Reads the envelope of a vault text; a text says what is wrong with it. */
export function parseVault(text: string): VaultText | string {
  const [header = '', ...lines] = text.trim().split(/\s*\n\s*/);
  const [, version, cipher, label] = header.split(';').map((part) => part.trim());
  if (version !== '1.1' && version !== '1.2') return `version ${version ?? 'of it'} of Ansible Vault is not known`;
  if (cipher !== 'AES256') return `the cipher ${cipher ?? 'of it'} of Ansible Vault is not known`;
  const [salt, hmac, ciphertext] = partsOf(lines.join(''));
  if (!salt || !hmac || !ciphertext || hmac.length !== hmacLength)
    return 'it is damaged: not what Ansible Vault writes';
  return { salt, hmac, ciphertext, ...(version === '1.2' && label && { label }) };
}

/**
 * The text inside, or undefined when the password is another one (or somebody changed the text: that cannot be told
 * apart). The format is that of Ansible's VaultAES256: PBKDF2 with SHA-256, AES-256 in counter mode, HMAC over the
 * ciphertext.
 */
export async function decryptVault(vault: VaultText, password: string): Promise<Buffer | undefined> {
  const keys = await deriveKeys(password, vault.salt);
  if (!timingSafeEqual(hmacOf(keys, vault.ciphertext), vault.hmac)) return undefined;
  const decipher = createDecipheriv('aes-256-ctr', keys.cipher, keys.counter);
  const padded = Buffer.concat([decipher.update(vault.ciphertext), decipher.final()]);
  return padded.subarray(0, padded.length - (padded.at(-1) ?? 0));
}

/** A text that Ansible Vault reads with this password. */
export async function encryptVault(text: string | Uint8Array, password: string, label?: string): Promise<string> {
  const salt = randomBytes(32);
  const keys = await deriveKeys(password, salt);
  const bytes = Buffer.from(text);
  const padding = blockLength - (bytes.length % blockLength);
  const cipher = createCipheriv('aes-256-ctr', keys.cipher, keys.counter);
  const ciphertext = Buffer.concat([
    cipher.update(bytes),
    cipher.update(Buffer.alloc(padding, padding)),
    cipher.final(),
  ]);
  const inner = [salt, hmacOf(keys, ciphertext), ciphertext].map((part) => part.toString('hex')).join('\n');
  const header = label === undefined ? '$ANSIBLE_VAULT;1.1;AES256' : `$ANSIBLE_VAULT;1.2;AES256;${label}`;
  return `${[
    header,
    ...(Buffer.from(inner)
      .toString('hex')
      .match(/.{1,80}/g) ?? []),
  ].join('\n')}\n`;
}

const blockLength = 16;
const hmacLength = 32;

interface Keys {
  readonly cipher: Buffer;
  readonly hmac: Buffer;
  readonly counter: Buffer;
}

async function deriveKeys(password: string, salt: Buffer): Promise<Keys> {
  const derived = await promisify(pbkdf2)(password, salt, 10_000, 80, 'sha256');
  return { cipher: derived.subarray(0, 32), hmac: derived.subarray(32, 64), counter: derived.subarray(64, 80) };
}

function hmacOf(keys: Keys, ciphertext: Buffer): Buffer {
  return createHmac('sha256', keys.hmac).update(ciphertext).digest();
}

/** Hex of three lines of hex. */
function partsOf(outer: string): (Buffer | undefined)[] {
  const inner = fromHex(outer)?.toString('latin1') ?? '';
  return inner.split('\n').map(fromHex);
}

function fromHex(text: string): Buffer | undefined {
  return /^(?:[0-9a-fA-F]{2})+$/.test(text) ? Buffer.from(text, 'hex') : undefined;
}

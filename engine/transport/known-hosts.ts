import { createHash, createHmac } from 'node:crypto';

/** A line of a known_hosts file that names a host key. */
export interface KnownHostLine {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly isRevoked: boolean;
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, … */
  readonly type: string;
  readonly key: Buffer;
}

/** What known_hosts says about a key that a host showed. */
export type KeyVerdict =
  | { readonly kind: 'known' }
  | {
      readonly kind: 'unknown';
      /** `@cert-authority` lines match the host; they are not understood here, and worth a word. */
      readonly hasCertAuthority: boolean;
    }
  | { readonly kind: 'changed'; readonly expected: KnownHostLine }
  | { readonly kind: 'revoked'; readonly line: KnownHostLine };

/** Host keys, looked up by name. */
export interface KnownHosts {
  /** `name` is as {@link hostKeyName} writes it. */
  verify(name: string, key: Buffer): KeyVerdict;
  /** Types of the keys that are known (and not revoked) for a name, to be asked for first, as OpenSSH does. */
  typesOf(name: string): readonly string[];
}

interface Entry extends KnownHostLine {
  readonly isAuthority: boolean;
  readonly hosts: string;
}

/**
 * Reads known_hosts files as sshd(8) describes them: lists, `*` and `?`, `!` for exceptions, `[host]:port`, hashed names,
 * `@revoked`. `@cert-authority` lines are kept only to be mentioned, since ssh2 has no host certificates. A line
 * that makes no sense is skipped, as OpenSSH does.
 *
 * Each file is parsed once; plain names are found through an index, and of hashed ones (every salt must be tried:
 * 23 ms for 10,000 lines) each name is looked up once.
 */
export function parseKnownHosts(files: readonly { readonly path: string; readonly text: string }[]): KnownHosts {
  const plain = new Map<string, Entry[]>();
  const hashed: Entry[] = [];
  const patterns: Entry[] = [];
  const cache = new Map<string, readonly Entry[]>();

  for (const file of files) {
    for (const [i, text] of file.text.split('\n').entries()) {
      const entry = parseLine(text, file.path, i + 1);
      if (!entry) continue;
      if (entry.hosts.startsWith('|')) hashed.push(entry);
      else if (/[*?!]/.test(entry.hosts)) patterns.push(entry);
      else
        for (const host of entry.hosts.toLowerCase().split(',')) plain.set(host, [...(plain.get(host) ?? []), entry]);
    }
  }

  function lookUp(name: string): readonly Entry[] {
    const cached = cache.get(name);
    if (cached) return cached;
    const found = [
      ...(plain.get(name) ?? []),
      ...patterns.filter((entry) => matchesHostList(entry.hosts, name)),
      ...hashed.filter((entry) => matchesHash(entry.hosts, name)),
    ];
    cache.set(name, found);
    return found;
  }

  return {
    verify(name, key) {
      const entries = lookUp(name.toLowerCase());
      const keys = entries.filter((entry) => !entry.isAuthority);
      const isSame = (entry: Entry): boolean => entry.key.equals(key);
      const revoked = keys.find((entry) => entry.isRevoked && isSame(entry));
      if (revoked) return { kind: 'revoked', line: revoked };
      const usable = keys.filter((entry) => !entry.isRevoked);
      if (usable.some(isSame)) return { kind: 'known' };
      const type = keyType(key);
      const expected = usable.find((entry) => entry.type === type) ?? usable[0];
      if (expected) return { kind: 'changed', expected };
      return { kind: 'unknown', hasCertAuthority: entries.some((entry) => entry.isAuthority) };
    },
    typesOf(name) {
      const usable = lookUp(name.toLowerCase()).filter((entry) => !entry.isRevoked && !entry.isAuthority);
      return [...new Set(usable.map((entry) => entry.type))];
    },
  };
}

/** The name that a host has in known_hosts: `host`, or `[host]:port` when the port is not 22. */
export function hostKeyName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** The fingerprint as OpenSSH prints it: `SHA256:` and unpadded base64. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type that stands at the beginning of a public key's wire format; `unknown` when there is none. */
export function keyType(key: Buffer): string {
  if (key.length < 4) return 'unknown';
  const length = key.readUInt32BE(0);
  return length > 64 || key.length < 4 + length ? 'unknown' : key.subarray(4, 4 + length).toString('latin1');
}

function parseLine(text: string, file: string, line: number): Entry | undefined {
  const words = text.trim().split(/[ \t]+/);
  if (words[0] === '' || words[0]?.startsWith('#')) return undefined;
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
  const [hosts, type, base64] = words;
  if (hosts === undefined || type === undefined || base64 === undefined) return undefined;
  if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') return undefined;
  const key = Buffer.from(base64, 'base64');
  // Also skips the obsolete SSH 1 lines, which have numbers there.
  if (keyType(key) !== type) return undefined;
  return { file, line, hosts, type, key, isRevoked: marker === '@revoked', isAuthority: marker === '@cert-authority' };
}

function matchesHostList(list: string, name: string): boolean {
  let isMatch = false;
  for (const item of list.toLowerCase().split(',')) {
    const isNegated = item.startsWith('!');
    if (!matchesPattern(isNegated ? item.slice(1) : item, name)) continue;
    if (isNegated) return false;
    isMatch = true;
  }
  return isMatch;
}

function matchesPattern(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}

function matchesHash(hosts: string, name: string): boolean {
  const [, version, salt, hash] = hosts.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest().equals(Buffer.from(hash, 'base64'));
}

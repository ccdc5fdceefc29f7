import { existsSync, readFileSync } from 'node:fs';
import type ssh2 from 'ssh2';
import type { AnyAuthMethod, AuthHandlerMiddleware, BaseAgent, ParsedKey } from 'ssh2';
import { errorMessage } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { LoginMemory } from './login-memory.ts';
import type { ResolvedHost } from './ssh-config.ts';
import type { Sign } from './ssh-shortcuts.ts';

/** The loaded ssh2 package. */
export type Ssh2 = typeof ssh2;

/** What a login may prove itself with, besides the keys that {@link ResolvedHost} names. */
export interface Credentials {
  readonly password: Secret | undefined;
  readonly passphrase: Secret | undefined;
}

/** The ways in that will be tried for one login, in order. */
export interface AuthPlan {
  readonly handler: AuthHandlerMiddleware;
  /** False when there is nothing to try. */
  readonly hasMethods: boolean;
  /** For the error: what was tried so far. */
  readonly tried: () => readonly string[];
  /** For the error: what could not be tried, and why. */
  readonly notes: readonly string[];
  /** Told of a key before it is offered; signs with it where that asks nobody for a touch who is not needed. */
  readonly signerOf: (key: ParsedKey) => Sign | undefined;
  /** What was tried last has let the user in. */
  readonly worked: () => void;
}

/** What logins of a process share. */
export interface LoginParts {
  readonly ssh: Ssh2;
  readonly keys: KeyRing;
  readonly memory: LoginMemory;
}

/** Key files, each read and decrypted once: an encrypted key costs 200 ms of blocked event loop (bcrypt). */
export interface KeyRing {
  load(path: string, passphrase: Secret | undefined): LoadedKey;
}

/** A key file: the key, or why it is of no use, with its public half where that can be had. */
export type LoadedKey =
  | { readonly kind: 'key'; readonly key: ParsedKey }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unusable'; readonly reason: string; readonly publicKey: Buffer | undefined };

/** Makes an empty key ring. */
export function createKeyRing({ utils }: Ssh2): KeyRing {
  const loaded = new Map<string, LoadedKey>();

  function read(path: string, passphrase: Secret | undefined): LoadedKey {
    if (!existsSync(path)) return { kind: 'missing' };
    let text: Buffer;
    try {
      text = readFileSync(path);
    } catch (error) {
      return { kind: 'unusable', reason: `cannot be read (${errorMessage(error)})`, publicKey: publicHalf(path) };
    }
    const parsed = utils.parseKey(text, passphrase?.reveal());
    if (parsed instanceof Error)
      return { kind: 'unusable', reason: reasonOf(parsed, passphrase), publicKey: publicHalf(path) };
    const key = Array.isArray(parsed) ? parsed[0] : parsed;
    if (!key?.isPrivateKey()) return { kind: 'unusable', reason: 'is no private key', publicKey: key?.getPublicSSH() };
    return { kind: 'key', key };
  }

  function publicHalf(path: string): Buffer | undefined {
    if (!existsSync(`${path}.pub`)) return undefined;
    const parsed = utils.parseKey(readFileSync(`${path}.pub`));
    return parsed instanceof Error || Array.isArray(parsed) ? undefined : parsed.getPublicSSH();
  }

  return {
    load(path, passphrase) {
      const id = `${path}\0${passphrase?.reveal() ?? ''}`;
      const existing = loaded.get(id);
      if (existing) return existing;
      const key = read(path, passphrase);
      loaded.set(id, key);
      return key;
    },
  };
}

function reasonOf(error: Error, passphrase: Secret | undefined): string {
  if (/no passphrase given/i.test(error.message)) return 'is encrypted, and no passphrase was given';
  if (passphrase && /bad passphrase|decrypt|integrity/i.test(error.message))
    return 'cannot be decrypted with the passphrase';
  if (/unsupported key format/i.test(error.message))
    return 'has a format that is not supported (security keys and certificates are not)';
  return `cannot be used (${error.message})`;
}

/**
 * Orders the ways in: key files, the agent (with IdentitiesOnly only for those files' keys), the password; of the keys
 * first what has let the user in to other hosts. Each is tried once, and only while the server offers its kind; never
 * `none`, which costs a round trip.
 */
export function planAuth(host: ResolvedHost, credentials: Credentials, { ssh, keys, memory }: LoginParts): AuthPlan {
  const attempts: { readonly label: string; readonly method: AnyAuthMethod }[] = [];
  const notes: string[] = [];
  const tried: string[] = [];
  const filePublicKeys: Buffer[] = [];
  const username = host.user;
  const timesOf = (way: string): number => memory.timesOf(username, way);
  let agent: BaseAgent | undefined;
  let offered = '';

  for (const path of host.identityFiles) {
    const loaded = keys.load(path, credentials.passphrase);
    if (loaded.kind === 'key') {
      filePublicKeys.push(loaded.key.getPublicSSH());
      attempts.push({ label: `key ${path}`, method: { type: 'publickey', username, key: loaded.key } });
    } else if (loaded.kind === 'unusable') {
      notes.push(`key ${path} ${loaded.reason}`);
    } else if (host.hasOwnIdentities) {
      notes.push(`key ${path} does not exist`);
    }
  }
  if (host.agent !== undefined) {
    const locked = host.identityFiles.flatMap((path) => {
      const loaded = keys.load(path, credentials.passphrase);
      return loaded.kind === 'unusable' && loaded.publicKey ? [loaded.publicKey] : [];
    });
    const accept = (key: Buffer): boolean => {
      if (filePublicKeys.some((other) => other.equals(key))) return false;
      return !host.identitiesOnly || locked.some((other) => other.equals(key));
    };
    agent = filteredAgent(ssh, host.agent, accept, (key) => timesOf(wayOfAgentKey(key)));
    attempts.push({ label: 'agent', method: { type: 'agent', username, agent } });
  }
  const password = credentials.password?.reveal();
  if (password !== undefined) {
    attempts.push({ label: 'password', method: { type: 'password', username, password } });
    // A prompt that is repeated would be answered the same way for ever.
    let isAnswered = false;
    attempts.push({
      label: 'keyboard-interactive',
      method: {
        type: 'keyboard-interactive',
        username,
        prompt: (_name, _instructions, _lang, prompts, finish) => {
          finish(isAnswered ? [] : prompts.map(() => password));
          isAnswered = true;
        },
      },
    });
  }

  // A password is for hosts that take no key, or want both: it never comes first.
  const rankOf = ({ label, method }: (typeof attempts)[number]): number =>
    method.type === 'publickey' || method.type === 'agent' ? 1 + timesOf(label) : 0;
  let left: typeof attempts | undefined;
  return {
    signerOf(key) {
      offered = wayOfAgentKey(key.getPublicSSH());
      if (tried.at(-1) !== 'agent') return (data, hash, done) => done(signatureOf(key.sign(data, hash)));
      if (!agent || timesOf(offered) === 0) return undefined;
      return signerOfAgent(agent, key);
    },
    worked() {
      const label = tried.at(-1) ?? '';
      memory.worked(username, label);
      if (label === 'agent') memory.worked(username, offered);
    },
    hasMethods: attempts.length > 0,
    notes,
    tried: () => tried,
    handler(kinds, _partial, proceed) {
      // Only now: other hosts were logged in to while this one waited for its turn.
      left ??= attempts.toSorted((a, b) => rankOf(b) - rankOf(a));
      for (let attempt = left.shift(); attempt; attempt = left.shift()) {
        const kind = attempt.method.type === 'agent' ? 'publickey' : attempt.method.type;
        // Null at the first call, which the types do not say.
        if ((kinds as readonly string[] | null)?.includes(kind) === false) continue;
        tried.push(attempt.label);
        return proceed(attempt.method);
      }
      // The types lack the documented `false`: nothing more to try.
      return proceed(false as unknown as AnyAuthMethod);
    },
  };
}

function wayOfAgentKey(publicKey: Buffer): string {
  return `agent ${publicKey.toString('base64')}`;
}

/** ssh2 gives an error where its types tell only of a signature. */
function signatureOf(signed: Buffer | Error): Buffer | undefined {
  return signed instanceof Error ? undefined : signed;
}

function signerOfAgent(agent: BaseAgent, key: ParsedKey): Sign {
  return (data, hash, done) => {
    const options = hash === undefined ? {} : { hash: hash as 'sha256' };
    agent.sign(key, data, options, (error, signature) => done(error ? undefined : signature));
  };
}

/**
 * An agent that offers only some of its keys, those of the highest rank first: sshd counts every offer against
 * MaxAuthTries.
 */
function filteredAgent(
  ssh: Ssh2,
  socketPath: string,
  accept: (publicKey: Buffer) => boolean,
  rankOf: (publicKey: Buffer) => number,
): BaseAgent {
  const agent = ssh.createAgent(socketPath);
  class FilteredAgent extends ssh.BaseAgent {
    override getIdentities(callback: Parameters<BaseAgent['getIdentities']>[0]): void {
      agent.getIdentities((error, identities) => {
        if (error || !identities) return callback(null, []);
        const rank = (identity: unknown): number => rankOf(publicBlob(ssh, identity));
        const accepted = identities.filter((identity) => accept(publicBlob(ssh, identity)));
        callback(
          null,
          accepted.sort((a, b) => rank(b) - rank(a)),
        );
      });
    }
    override sign(...args: readonly unknown[]): void {
      Reflect.apply(agent.sign, agent, args);
    }
  }
  return new FilteredAgent();
}

function publicBlob(ssh: Ssh2, identity: unknown): Buffer {
  const parsed = ssh.utils.parseKey(identity as Parameters<typeof ssh.utils.parseKey>[0]);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  return key === undefined || key instanceof Error ? Buffer.alloc(0) : key.getPublicSSH();
}

import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorMessage, RunbookError } from '../base/errors.ts';
import { fingerprint, type KeyVerdict, type KnownHosts, keyType, parseKnownHosts } from './known-hosts.ts';

/** What to do with a host whose key is not known: refuse it, write it down the first time, or not look at all. */
export type HostKeyChecking = 'strict' | 'accept-new' | 'off';

/** One host's question. */
export interface HostKeyQuestion {
  /** Name under which the key is known: as `hostKeyName` writes it, or the HostKeyAlias. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The host as the user knows it, for messages. */
  readonly target: string;
  readonly checking: HostKeyChecking;
  readonly userFiles: readonly string[];
  readonly globalFiles: readonly string[];
}

/** Verifies host keys against known_hosts files, each of which is read once. */
export interface HostKeyVerifier {
  /** Returns when the key may be trusted, else gives a RunbookError `host-key` with both fingerprints and a way out. */
  verify(question: HostKeyQuestion, key: Buffer): RunbookError | undefined;
  /** Key types known for the host. */
  typesOf(question: HostKeyQuestion): readonly string[];
}

/** Makes a verifier; `warn` is told of every key that `accept-new` wrote down. */
export function createHostKeyVerifier(warn: (message: string) => void): HostKeyVerifier {
  const parsed = new Map<string, KnownHosts>();
  /** Keys accepted by this process, since the files are not read again. */
  const accepted = new Map<string, Buffer>();

  function knownHosts(question: HostKeyQuestion): KnownHosts {
    const files = [...question.userFiles, ...question.globalFiles];
    const id = files.join('\0');
    const existing = parsed.get(id);
    if (existing) return existing;
    const known = parseKnownHosts(files.filter((path) => existsSync(path)).map(readFile));
    parsed.set(id, known);
    return known;
  }

  return {
    verify(question, key) {
      if (question.checking === 'off') return undefined;
      const { name } = question;
      const known = knownHosts(question);
      const verdict = known.verify(name, key);
      if (verdict.kind === 'known') return undefined;
      // As OpenSSH does for a port that is not 22: the host's own line, without the port, is good enough.
      if (verdict.kind === 'unknown' && known.verify(question.host, key).kind === 'known') return undefined;
      if (verdict.kind !== 'unknown') return refusal(question, name, key, verdict);
      const before = accepted.get(name);
      if (before?.equals(key)) return undefined;
      if (question.checking === 'strict' || before) return refusal(question, name, key, verdict);
      const file = question.userFiles[0];
      if (file === undefined) return refusal(question, name, key, verdict);
      try {
        append(file, `${name} ${keyType(key)} ${key.toString('base64')}\n`);
      } catch (error) {
        return new RunbookError(
          'host-key',
          `cannot write the key of ${question.target} to ${file}: ${errorMessage(error)}`,
        );
      }
      accepted.set(name, key);
      warn(`${question.target}: accepted its ${keyType(key)} key ${fingerprint(key)} and wrote it to ${file}`);
      return undefined;
    },
    typesOf(question) {
      return question.checking === 'off' ? [] : knownTypes(knownHosts(question), question);
    },
  };
}

function knownTypes(known: KnownHosts, question: HostKeyQuestion): readonly string[] {
  const types = known.typesOf(question.name);
  return types.length > 0 ? types : known.typesOf(question.host);
}

function readFile(path: string): { path: string; text: string } {
  try {
    return { path, text: readFileSync(path, 'utf8') };
  } catch (error) {
    throw new RunbookError('file-unreadable', `cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/** One write of a whole line, so that two processes do not mix theirs. */
function append(file: string, line: string): void {
  const isNew = !existsSync(file);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const lacksNewline = !isNew && /[^\n]$/.test(readFileSync(file, 'utf8'));
  appendFileSync(file, `${lacksNewline ? '\n' : ''}${line}`, { mode: 0o600 });
  if (isNew) chmodSync(file, 0o600);
}

function refusal(
  question: HostKeyQuestion,
  name: string,
  key: Buffer,
  verdict: Exclude<KeyVerdict, { kind: 'known' }>,
): RunbookError {
  const shown = `${keyType(key)} ${fingerprint(key)}`;
  switch (verdict.kind) {
    case 'changed': {
      const { file, line, type } = verdict.expected;
      const message =
        `the host key of ${question.target} has changed: it shows ${shown}, ` +
        `but ${file}:${line} has ${type} ${fingerprint(verdict.expected.key)}`;
      const remove = `ssh-keygen -f ${file} -R '${name}'`;
      return new RunbookError('host-key', message, {
        hint: `someone may be listening in. If the host was reinstalled, check the fingerprint on its console, then: ${remove}`,
      });
    }
    case 'revoked': {
      const place = `${verdict.line.file}:${verdict.line.line}`;
      const message = `the host key of ${question.target}, ${shown}, is revoked in ${place}`;
      return new RunbookError('host-key', message, {
        hint: 'give the host a new key (ssh-keygen -A) before it is used again',
      });
    }
    case 'unknown': {
      const file = question.userFiles[0] ?? '~/.ssh/known_hosts';
      const scan = `ssh-keyscan ${question.port === 22 ? '' : `-p ${question.port} `}${question.host} >> ${file}`;
      const authority = verdict.hasCertAuthority
        ? ' (@cert-authority lines match it, but host certificates are not supported)'
        : '';
      return new RunbookError('host-key', `the host key of ${question.target} is not known: ${shown}${authority}`, {
        hint: `compare it with ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub on the host, then: ${scan}; or trust each host the first time with --host-key-checking=accept-new`,
      });
    }
  }
}

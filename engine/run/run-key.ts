import { createHash, createHmac, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileProblem, RunbookError } from '../base/errors.ts';
import { canonical } from './canonical.ts';

/**
 * Makes digests that only this controller can make: without its key nobody can try which content, variable or answer one
 * is of, nor make the digest of a file that was edited.
 */
export interface RunKey {
  /** Names the key, and says nothing about it. */
  readonly id: string;
  /** Hexadecimal. `what` keeps digests of different things apart. */
  digest(what: string, text: string): string;
}

/**
 * The key of `DIRECTORY/key` (0600), made when there is none. Raises `usage` where it can be neither read nor made.
 */
export function readRunKey(directory: string): RunKey {
  const path = join(directory, 'key');
  try {
    return runKeyOf(readOrMake(directory, path));
  } catch (error) {
    if (error instanceof RunbookError) throw error;
    const message = `the key ${path}, by which runs and plans know what they read, cannot be used: ${fileProblem(error)}`;
    throw new RunbookError('usage', message, {
      hint: 'start runbook from a folder that you may write to',
      cause: error,
    });
  }
}

/** A key of 32 bytes or more. */
export function runKeyOf(secret: Buffer): RunKey {
  return {
    id: createHash('sha256').update('runbook key\n').update(secret).digest('hex').slice(0, 12),
    digest: (what, text) => createHmac('sha256', secret).update(`${what}\n${text}`).digest('hex').slice(0, 40),
  };
}

/**
 * A digest of a value, secrets as what they are: 16 hex digits, short enough to read over, long enough that no two values
 * share one by accident.
 */
export function valueDigest(key: RunKey, what: string, value: unknown): string {
  return key.digest(what, canonical(value)).slice(0, 16);
}

function readOrMake(directory: string, path: string): Buffer {
  const known = readKey(path);
  if (known) return known;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const made = `${path}.${randomBytes(4).toString('hex')}`;
  writeFileSync(made, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // Of two runs that make it at the same time the first one wins, and nobody reads half a key.
    linkSync(made, path);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
  } finally {
    rmSync(made, { force: true });
  }
  const key = readKey(path);
  if (key) return key;
  throw new RunbookError('usage', `there was no key in ${path}, and none could be made`);
}

function readKey(path: string): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
  if (/^[0-9a-f]{64}$/.test(text)) return Buffer.from(text, 'hex');
  const hint = 'remove it: a new one is made, and plans that were made with it have to be made again';
  throw new RunbookError('usage', `${path} is no key of runbook`, { hint });
}

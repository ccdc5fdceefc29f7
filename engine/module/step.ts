import { createHash } from 'node:crypto';
import { Secret } from '../base/secret.ts';
import type { Script } from '../base/sh.ts';
import type { Content, Environment } from '../transport/transport.ts';
import type { FileContent, Probe, ProbeOutput } from './contract.ts';

/** One effect on a host, or a wait for one to show, as data: the engine runs, logs and can show it beforehand. */
export type Step = ExecStep | PutStep | WaitStep | PauseStep;

/** What a step gives back to `apply`: of `exec` the command's output, of the others an empty one with rc 0. */
export type StepResult = ProbeOutput;

/** Runs a script on the host. */
export interface ExecStep {
  readonly kind: 'exec';
  readonly script: Script;
  readonly stdin?: string | Uint8Array | Secret;
  readonly environment?: Environment;
  /** Exit statuses that are no failure. Default `[0]`; `any` leaves the judgement to the module. */
  readonly okCodes: readonly number[] | 'any';
  /** Default: what is left of the task's deadline. */
  readonly timeoutMs?: number;
  /** For progress and errors: `starting docker.service`. */
  readonly purpose?: string;
  /**
   * Another step or wait follows, unless this one fails. Along with a step goes the question how the host is after it, which
   * would be asked in vain: with this it is not asked. Nothing else depends on it.
   */
  readonly moreFollows?: boolean;
}

/** Puts a file on the host atomically. */
export interface PutStep {
  readonly kind: 'put';
  readonly path: string;
  readonly content: Content;
  readonly sha256: string;
  /** The content is secret: neither it nor its digest is shown. */
  readonly isSecret?: boolean | undefined;
  /** Octal digits: `0644`. Owner, group and mode that are not given are kept from the file that is replaced. */
  readonly mode?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  readonly validate?: ((temporaryPath: string) => Script) | undefined;
  readonly backup?: boolean | undefined;
  /** As of an exec step. */
  readonly moreFollows?: boolean | undefined;
}

/** Waits on the host. */
export interface WaitStep {
  readonly kind: 'wait';
  readonly wait: Wait<unknown>;
}

/** Lets some time pass between two tries, and tells what is waited for meanwhile. */
export interface PauseStep {
  readonly kind: 'pause';
  readonly ms: number;
  /** For progress: `eviction of web-5f (PodDisruptionBudget web)`. */
  readonly waitingFor: string;
  /** When the wait as a whole began, and when it is given up: milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly deadlineMs: number;
}

/** Something that is waited for, with a deadline. */
export interface Wait<T> {
  /** For progress and errors: `node-3 to become Ready`. */
  readonly what: string;
  readonly probe: Probe<T>;
  /** True when it is so, else why not yet: `heartbeat is 41 s old`. Raise `failure(...)` when it never will be. */
  readonly done: (state: T) => true | string;
  readonly timeoutMs: number;
  /** Pause between two asks. Default 1 s. */
  readonly intervalMs?: number;
  /** How many asks in a row must find it so. Default 1. */
  readonly consecutive?: number;
}

/** Runs a script on the host; a status that is not in `okCodes` fails the task. */
export function exec(script: Script, options: Partial<Omit<ExecStep, 'kind' | 'script'>> = {}): ExecStep {
  return { kind: 'exec', script, okCodes: [0], ...options };
}

/** Puts a file that the controller has: a text, bytes in memory, a secret, or a {@link Content} with its hex SHA-256. */
export function put(
  path: string,
  content: string | Uint8Array | Secret | Omit<FileContent, 'size'>,
  options: Partial<Omit<PutStep, 'kind' | 'path' | 'content' | 'sha256'>> = {},
): PutStep {
  if (content instanceof Secret) return { ...put(path, content.reveal(), options), isSecret: true };
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) {
    const { sha256, isSecret } = content;
    return { kind: 'put', path, content: content.content, sha256, isSecret, ...options };
  }
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { kind: 'put', path, content: { kind: 'bytes', bytes }, sha256, ...options };
}

/** Waits until `done` says so, or fails the task with the last reason. */
export function waitFor<T>(wait: Wait<T>): WaitStep {
  // `done` only ever sees what `probe` of the same object parsed.
  return { kind: 'wait', wait: wait as Wait<unknown> };
}

/** Lets `ms` milliseconds pass in a wait that a module keeps itself, because it tries something again and again. */
export function pause(ms: number, wait: Omit<PauseStep, 'kind' | 'ms'>): PauseStep {
  return { kind: 'pause', ms, ...wait };
}

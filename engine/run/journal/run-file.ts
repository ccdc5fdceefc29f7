import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { FinalState } from '../../base/events.ts';
import type { Fingerprint } from '../fingerprint.ts';

/** What was asked of a run and what came of it: `run.json`. No secret is in it. */
export interface RunFile {
  readonly v: 1;
  readonly id: string;
  /** When each of its processes began, ISO 8601 UTC. */
  readonly began: readonly string[];
  readonly playbook: string;
  readonly isCheckMode: boolean;
  /** How many hosts were to take part when it began. */
  readonly hosts: number;
  /** The command line's options, without passwords. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Of what was read. Absent where nothing can be resumed. */
  readonly fingerprint?: Fingerprint;
  /** Absent while it runs, and when it died. */
  readonly end?: RunEnd;
}

export interface RunEnd {
  readonly time: string;
  readonly exitCode: number;
  readonly states: Readonly<Partial<Record<FinalState, number>>>;
  readonly stopReason?: string;
}

/** Reads what was asked of the run of a folder; undefined where none is kept there, or not as a whole. */
export function readRunFile(folder: string): RunFile | undefined {
  try {
    const file: unknown = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
    return typeof file === 'object' && file !== null && 'v' in file && file.v === 1 ? (file as RunFile) : undefined;
  } catch {
    return undefined;
  }
}

/** Writes it as a whole: whoever reads it at the same time has the former one. */
export function writeRunFile(folder: string, file: RunFile): void {
  const path = join(folder, 'run.json');
  const next = `${path}.new`;
  const handle = openSync(next, 'w', 0o600);
  try {
    writeSync(handle, `${JSON.stringify(file, undefined, 1)}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(next, path);
}

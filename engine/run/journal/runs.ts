import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Holder, readLock } from './lock.ts';
import { readHeldLeases } from './read-state.ts';
import type { RecordedLease } from './record.ts';
import { type RunFile, readRunFile } from './run-file.ts';

/** How a run stands. `elsewhere`: it was started on another machine, so it may be running. */
export type RunStanding = 'running' | 'elsewhere' | 'done' | 'differs' | 'failed' | 'stopped' | 'interrupted' | 'died';

/** A run as it is kept. */
export interface KeptRun {
  readonly id: string;
  readonly folder: string;
  readonly standing: RunStanding;
  readonly holder?: Holder;
  /** Absent where it cannot be read. */
  readonly file?: RunFile;
  readonly leases: readonly RecordedLease[];
}

/** The runs that are kept below a folder such as `.runbook`, the oldest first. */
export function readRuns(directory: string): readonly KeptRun[] {
  return idsIn(directory).map((id) => readRun(join(directory, 'runs', id), id));
}

/** One run. */
export function readRun(folder: string, id: string): KeptRun {
  const { liveliness, holder } = readLock(folder);
  const file = readRunFile(folder);
  const standing = liveliness === 'dead' ? standingOf(file) : liveliness;
  return { id, folder, standing, ...(holder && { holder }), ...(file && { file }), leases: readHeldLeases(folder) };
}

/** Whether the run has something left to do, which `runbook resume` would do. */
export function isResumable({ standing, file }: KeptRun): boolean {
  return !file?.isCheckMode && ['failed', 'stopped', 'interrupted', 'died'].includes(standing);
}

/** Removes a run's folder. */
export function removeRun({ folder }: KeptRun): void {
  rmSync(folder, { recursive: true, force: true });
}

/** The ids below such a folder, the oldest first. */
export function idsIn(directory: string): readonly string[] {
  try {
    const names = readdirSync(join(directory, 'runs'));
    return names.filter((name) => idPattern.test(name)).sort((a, b) => inOrder(directory, a, b));
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return [];
    throw error;
  }
}

/** Its first part is when the run began, to a second. */
const idPattern = /^(\d{8}T\d{6}Z)-/;

/** Of two runs that began in the same second their files tell which was first. */
function inOrder(directory: string, a: string, b: string): number {
  const secondOf = (id: string): string | undefined => idPattern.exec(id)?.[1];
  if (secondOf(a) !== secondOf(b)) return a < b ? -1 : 1;
  const [beganA = '', beganB = ''] = [a, b].map((id) => readRunFile(join(directory, 'runs', id))?.began[0]);
  return `${beganA} ${a}` < `${beganB} ${b}` ? -1 : 1;
}

function standingOf(file: RunFile | undefined): RunStanding {
  switch (file?.end?.exitCode) {
    case undefined:
      return 'died';
    case 0:
      return 'done';
    case 3:
      return 'differs';
    case 6:
      return 'stopped';
    case 130:
      return 'interrupted';
    default:
      return 'failed';
  }
}

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { paths, stateDir } from './settings.ts';

/** A process that the lab started, told apart from a later one with the same id by its start time. */
export interface ProcessRef {
  readonly pid: number;
  readonly startTime: string;
}

/** What the lab remembers between commands. */
export interface LabState {
  readonly nodeCount: number;
  readonly services?: ProcessRef;
}

/** The remembered state, or undefined when no lab is up. */
export function readState(): LabState | undefined {
  try {
    // Written by writeState alone.
    return JSON.parse(readFileSync(paths.state, 'utf8')) as LabState;
  } catch {
    return undefined;
  }
}

/** Remembers the state; renamed into place, so that an interrupted `up` leaves no half of it. */
export function writeState(state: LabState): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  writeFileSync(`${paths.state}.new`, `${JSON.stringify(state)}\n`);
  renameSync(`${paths.state}.new`, paths.state);
}

/** A reference to a running process, or undefined when it is gone. */
export function processRef(pid: number): ProcessRef | undefined {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** Whether that very process still runs. */
export function isRunning(ref: ProcessRef | undefined): ref is ProcessRef {
  return ref !== undefined && startTimeOf(ref.pid) === ref.startTime;
}

/** Field 22 of /proc/PID/stat; the name in field 2 may hold spaces, so count from its closing parenthesis. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

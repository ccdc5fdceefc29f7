import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileProblem, RunbookError } from '../base/errors.ts';
import type { HostSummary, Subscriber } from '../base/events.ts';
import type { Masker } from '../base/masker.ts';
import { type AppendFile, openAppendFile } from './journal/append-file.ts';
import { writeEvents } from './journal/events-file.ts';
import { applyLine, createRunState, cutOfHost, type RunState } from './journal/fold.ts';
import { keepRecord } from './journal/keep-record.ts';
import type { StateLine } from './journal/lines.ts';
import { takeLock } from './journal/lock.ts';
import { readState } from './journal/read-state.ts';
import { noRecord, type RunRecord } from './journal/record.ts';
import { type RunFile, writeRunFile } from './journal/run-file.ts';

/** What is kept of a run in `DIRECTORY/runs/ID/` (0700): see `docs/trusted-runs.md`. */
export interface Journal {
  /** Takes events to `events.ndjson`. */
  readonly events: Subscriber;
  /** What the run has to know to be resumed: `state.ndjson`. */
  readonly record: RunRecord;
  /** Aborted when something of it cannot be written any more: no further effect is to start. The reason says what. */
  readonly broken: AbortSignal;
  /** The run has come to an end. */
  end(end: { readonly exitCode: number; readonly summary: readonly HostSummary[]; readonly stopReason?: string }): void;
  /** Lets go of the folder. */
  [Symbol.dispose](): void;
}

/** What a journal is opened for. */
export interface JournalOf {
  readonly folder: string;
  readonly masker: Pick<Masker, 'mask'>;
  readonly now: () => number;
  /** Another process of the run was here before. `isChanged`: its playbook or inventory is another one now. */
  readonly resumed?: { readonly isChanged: boolean };
  /** Check mode has no effects, so there is nothing to resume. */
  readonly isCheckMode: boolean;
}

/**
 * Opens the journal of a run, which nobody else can open until it is let go. Raises `usage` where it cannot be written, and
 * where another process has it.
 */
export function openJournal(asked: JournalOf): Journal & { describe(file: RunFile): void } {
  const { folder, masker, now, isCheckMode, resumed } = asked;
  const broken = new AbortController();
  const onProblem = (problem: Error): void => broken.abort(problem);
  const opened = openFolder(folder, onProblem);
  const state = resumed ? readState(folder) : createRunState();
  if (!isCheckMode) beginProcess(opened.state, state, now());
  let described: RunFile | undefined;
  return {
    events: writeEvents(opened.events, onProblem),
    record: isCheckMode
      ? noRecord
      : keepRecord({
          state,
          file: opened.state,
          synced: () => Promise.all([opened.state.synced(), opened.events.synced()]),
          masker,
          now,
          isChanged: resumed?.isChanged === true,
          problemOf: () => (broken.signal.aborted ? (broken.signal.reason as Error) : undefined),
          onProblem,
        }),
    broken: broken.signal,
    describe(file) {
      described = file;
      writeRunFile(folder, file);
    },
    end({ exitCode, summary, stopReason }) {
      if (!described || broken.signal.aborted) return;
      const time = new Date(now()).toISOString();
      const end = { time, exitCode, states: countStates(summary), ...(stopReason !== undefined && { stopReason }) };
      writeRunFile(folder, { ...described, end });
    },
    [Symbol.dispose]: opened.close,
  };
}

/** The folder of a run. */
export function runFolder(directory: string, runId: string): string {
  return join(directory, 'runs', runId);
}

interface OpenFolder {
  readonly events: AppendFile;
  readonly state: AppendFile;
  readonly close: () => void;
}

function openFolder(folder: string, onProblem: (problem: Error) => void): OpenFolder {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lock = takeLock(folder);
    if ('holder' in lock) {
      const { pid, machine } = lock.holder;
      throw new RunbookError('usage', `process ${pid} on ${machine} works on this run`, {
        hint: `if it does not, remove ${join(folder, 'lock')}`,
      });
    }
    const events = openAppendFile(join(folder, 'events.ndjson'), onProblem);
    const state = openAppendFile(join(folder, 'state.ndjson'), onProblem);
    const close = (): void => {
      events.close();
      state.close();
      lock.release();
    };
    return { events, state, close };
  } catch (error) {
    if (error instanceof RunbookError) throw error;
    const message = `the record of the run cannot be kept in ${folder}: ${fileProblem(error)}`;
    const hint = 'start it from a folder that you may write to, or keep none with --no-journal';
    throw new RunbookError('usage', message, { hint, cause: error });
  }
}

/** Takes back of each host what it has to do again, and begins. */
function beginProcess(file: AppendFile, state: RunState, now: number): void {
  const write = (line: StateLine): void => {
    file.append(JSON.stringify(line));
    applyLine(state, line);
  };
  for (const [host, of] of state.hosts) {
    const cut = cutOfHost(of);
    if (cut) write({ t: 'cut', host, ...cut });
  }
  write({ t: 'began', time: new Date(now).toISOString(), pid: process.pid });
  state.isOwn = true;
  file.sync();
}

function countStates(summary: readonly HostSummary[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of summary) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

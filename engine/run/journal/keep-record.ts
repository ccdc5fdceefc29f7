import { fileProblem, RunbookError } from '../../base/errors.ts';
import type { Masker } from '../../base/masker.ts';
import type { AppendFile } from './append-file.ts';
import { decodeEnd, encodeEnd } from './encode-end.ts';
import {
  applyLine,
  type Entry,
  generationOf,
  hostStateOf,
  isFailed,
  isHandlerOf,
  leaseId,
  type RunState,
} from './fold.ts';
import type { StateLine } from './lines.ts';
import type { HostRecord, RunRecord } from './record.ts';
import { maskValue } from './values.ts';

/** What a record is kept with. */
export interface RecordKeeping {
  /** What the lines before came to. */
  readonly state: RunState;
  readonly file: AppendFile;
  /** Resolves when all files of the journal are on disk as they are now. */
  readonly synced: () => Promise<unknown>;
  readonly masker: Pick<Masker, 'mask'>;
  readonly now: () => number;
  /** The playbook is not the one that the former processes had: what is not in the record does not end the replay. */
  readonly isChanged: boolean;
  /** Whether something else of the journal cannot be written any more. */
  readonly problemOf: () => Error | undefined;
  /** Nothing can be written any more. Called once. */
  readonly onProblem: (problem: Error) => void;
}

/** A record in a file, line by line; what it says is what a later process reads. */
export function keepRecord(keeping: RecordKeeping): RunRecord {
  const { state, now } = keeping;
  const writer = createLineWriter(keeping);
  const { write } = writer;
  const hosts = new Map<string, HostRecord>();
  const of = (name: string): HostRecord => {
    const known = hosts.get(name) ?? keepHostRecord(name, keeping, writer);
    hosts.set(name, known);
    return known;
  };
  return {
    isKept: true,
    get problem() {
      return keeping.problemOf();
    },
    of,
    once(key) {
      const known = state.once.get(key);
      return known && { ...decodeEnd(known.end), host: known.host };
    },
    isDone: (what) => state.marks.has(what),
    markDone: (what) => write({ t: 'mark', what }),
    lease: (host, key) => state.leases.get(leaseId(host, key)),
    leaseChanged(host, key, change) {
      writer.writeSynced({ t: 'lease', host, key, time: new Date(now()).toISOString(), change });
      // What is given back is given back, recorded or not: whoever resumes does it once more.
      if (change.at === 'taking') writer.failIfBroken();
    },
    async durable() {
      try {
        await keeping.synced();
      } catch (error) {
        keeping.onProblem(error as Error);
      }
      writer.failIfBroken();
    },
  };
}

interface LineWriter {
  /** Never fails: what cannot be written is told to `onProblem`, and stops the run. */
  write(line: StateLine): void;
  writeSynced(line: StateLine): void;
  /** Raises `journal-failed` when something could not be written. */
  failIfBroken(): void;
}

function createLineWriter({ state, file, problemOf, onProblem }: RecordKeeping): LineWriter {
  const put = (line: StateLine, isSynced: boolean): void => {
    applyLine(state, withoutValues(line));
    if (problemOf()) return;
    try {
      file.append(JSON.stringify(line));
      if (isSynced) file.sync();
    } catch (error) {
      onProblem(error as Error);
    }
  };
  return {
    write: (line) => put(line, false),
    writeSynced: (line) => put(line, true),
    failIfBroken() {
      const problem = problemOf();
      if (problem) throw notRecorded(problem);
    },
  };
}

/** This process does not replay what it does itself: values need not be kept in memory. */
function withoutValues(line: StateLine): StateLine {
  if (line.t === 'effect') return { ...line, changes: [] };
  if (line.t !== 'task' && line.t !== 'item') return line;
  return { ...line, end: { result: { outcome: line.end.result.outcome, changes: [] }, isWithheld: true } };
}

function notRecorded(problem: Error): RunbookError {
  const message = `not run: it cannot be recorded (${fileProblem(problem)})`;
  return new RunbookError('journal-failed', message, { hint: 'mend that, then resume the run', cause: problem });
}

function keepHostRecord(name: string, keeping: RecordKeeping, { write, failIfBroken }: LineWriter): HostRecord {
  const { state, masker, isChanged } = keeping;
  const host = hostStateOf(state, name);
  const of = { host: name };
  let isLive = host.left.length === 0;
  let replayed = 0;
  const find = (key: string): Entry | undefined => host.left.find((entry) => entry.key === key);
  return {
    get isLive() {
      return isLive;
    },
    get isRetried() {
      return host.isRetried;
    },
    get replayed() {
      return replayed;
    },
    peek(key) {
      const entry = find(key);
      return entry && decodeEnd(entry.end);
    },
    next(key) {
      const entry = find(key);
      if (entry) {
        replayed++;
        write({ t: 'kept', ...of, key });
        return decodeEnd(entry.end);
      }
      if (!isChanged && host.left.length > 0) write({ t: 'forgot', ...of });
      isLive = true;
      return undefined;
    },
    handledBefore(key) {
      return entriesBefore(host.left, key, isChanged).flatMap((entry) => (entry.of === 'handler' ? [entry.key] : []));
    },
    notifiedAnew(key) {
      if (host.left.some((entry) => isHandlerOf(entry, key))) write({ t: 'forgot', ...of, key });
    },
    ended: (key, end, as) => write({ t: 'task', ...of, key, end: encodeEnd(end, masker), ...as }),
    dropped: (key) => write({ t: 'dropped', ...of, key }),
    item(key, item) {
      const end = host.begun.get(key)?.items.get(item);
      return end && decodeEnd(end);
    },
    itemEnded: (key, item, end) => write({ t: 'item', ...of, key, item, end: encodeEnd(end, masker) }),
    effectStarting(key, item, changes) {
      write({ t: 'effect', ...of, key, item, changes: maskValue(changes, masker) as never });
      failIfBroken();
    },
    stepStarting: (effect, boot) => write({ t: 'step', ...of, effect, boot }),
    bootOf: (effect) => host.boots.get(effect),
    begunEffects: (key, item) => host.begun.get(key)?.effects.get(item),
    attemptsMade: (key, item) => host.begun.get(key)?.attempts.get(item) ?? 0,
    attemptMade: (key, item) => write({ t: 'attempt', ...of, key, item }),
    generation: (key) => generationOf(host, key),
    down: () => write({ t: 'down', ...of }),
    block: (moment) => write({ t: 'block', ...of, ...moment }),
  };
}

/** What former processes did before they came to a task. */
function entriesBefore(left: readonly Entry[], key: string, isChanged: boolean): readonly Entry[] {
  const at = left.findIndex((entry) => entry.key === key);
  if (at >= 0) return left.slice(0, at);
  if (left.every((entry) => entry.of !== undefined)) return left;
  // They did not come to it, since a handler failed before it. In another playbook it may be a new one.
  const tasks = left.findIndex((entry) => entry.of === undefined);
  const failed = left.slice(0, tasks).findIndex(({ end }) => isFailed(end));
  return isChanged ? [] : left.slice(0, failed + 1);
}

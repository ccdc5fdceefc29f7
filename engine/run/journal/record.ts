import type { ChangeView } from '../../base/events.ts';
import type { InventoryAddition } from '../../module/contract.ts';
import type { Verdict } from '../judgement.ts';

/**
 * What a run remembers of itself, so that another process can go on with it after this one has died. Reading gives what
 * the former processes of the same run left; writing adds to it. No effect is run before what was written is `durable`: what
 * is not recorded cannot be resumed.
 */
export interface RunRecord {
  /** False without a journal and in check mode: nothing is kept, and nothing is known. */
  readonly isKept: boolean;
  /** Why nothing can be written any more. */
  readonly problem?: Error | undefined;
  /** What is kept of one host. */
  of(host: string): HostRecord;
  /** What a `run_once` task did in a former process, for all hosts. */
  once(key: string): (RecordedEnd & { readonly host: string }) | undefined;
  /** Things of the run that belong to no host, such as the pause after a batch: whether a former process came to their end. */
  isDone(what: string): boolean;
  markDone(what: string): void;
  /** A lease that was taken, or that was being taken, and was not released. `key` as `taskKeyOf` makes it. */
  lease(host: string, key: string): RecordedLease | undefined;
  /** Synced to disk when it returns. Raises `journal-failed` when it cannot be, and the lease is about to be taken. */
  leaseChanged(host: string, key: string, change: LeaseChange): void;
  /** Resolves when all that was written so far is on disk, the events too. Raises `journal-failed` when it cannot be. */
  durable(): Promise<void>;
}

/** What becomes of a lease on a host. */
export type LeaseChange =
  /** Before anything is done to take it; `args` only if no secret is in them. */
  | { readonly at: 'taking'; readonly task: LeaseTask; readonly grant: unknown; readonly args?: unknown }
  | { readonly at: 'taken' }
  /** The first effect under it is about to be run. */
  | { readonly at: 'used' }
  | { readonly at: 'released' }
  /** It is left in place when the run ends. */
  | { readonly at: 'kept'; readonly reason: string };

/** The task of a lease, for those who look at it without the playbook. */
export interface LeaseTask {
  readonly id: string;
  readonly name: string;
  readonly module: string;
}

/** A lease that a run has, or began to take. */
export interface RecordedLease {
  readonly host: string;
  readonly key: string;
  readonly task: LeaseTask;
  readonly state: 'taking' | 'taken';
  readonly grant: unknown;
  /** Absent where a secret was in them: render them again. */
  readonly args?: unknown;
  readonly hasEffects: boolean;
  /** Set when it was left in place on purpose. */
  readonly keptBecause?: string;
  /** When it was first asked for, ISO 8601 UTC. */
  readonly since: string;
}

/**
 * What is kept of one host: how its tasks ended, in order. While they are asked for in that order they are replayed; at
 * the first one that is not there the host is live, and what was kept of later ones is dropped.
 */
export interface HostRecord {
  /** The host has something to be done that no former process did. Until then it is not contacted. */
  readonly isLive: boolean;
  /** It is live after a failure of a former process: handlers that are pending from then run first. */
  readonly isRetried: boolean;
  /** How many of its tasks were replayed. */
  readonly replayed: number;
  /** What `next` would give; nothing comes of asking. */
  peek(key: string): RecordedEnd | undefined;
  /** How this task ended in a former process, once. Undefined: the host is live from here on. */
  next(key: string): RecordedEnd | undefined;
  /**
   * The keys of handlers that former processes ran before they came to this task, and out of their turn: late or by force, after
   * a failure.
   */
  handledBefore(key: string): readonly string[];
  /** A task that ended in this process notifies a handler of this key: what a former process did of it was not for that. */
  notifiedAnew(key: string): void;
  /** The task ended in this process. */
  ended(key: string, end: RecordedEnd, as?: EndedAs): void;
  /** It ended, but is to be run again by whoever resumes the run: it was interrupted. */
  dropped(key: string): void;
  /** How an item of its loop ended, where the task did not. `item` is its identity, here and below; without a loop, empty. */
  item(key: string, item: string): RecordedEnd | undefined;
  itemEnded(key: string, item: string, end: RecordedEnd): void;
  /** An effect of the task is about to be run. Raises `journal-failed` when nothing can be written any more. */
  effectStarting(key: string, item: string, changes: readonly ChangeView[]): void;
  /** A step is about to be run on the host (or where the task is delegated to) under this id, in this boot of it. */
  stepStarting(effect: string, boot: string): void;
  /** In which boot of its host a step was started under this id, by whichever process; undefined where none did. */
  bootOf(effect: string): string | undefined;
  /** What effects that a former process began were to change, where it did not come to the task's end; else undefined. */
  begunEffects(key: string, item: string): readonly ChangeView[] | undefined;
  /** How many of its attempts were made and are to be followed by another one. */
  attemptsMade(key: string, item: string): number;
  attemptMade(key: string, item: string): void;
  /**
   * How many times effects of a task of this key were begun and are over: tasks can have the same text, run as handlers again
   * and again, and be run once more by whoever resumes the run. What names an effect has it in it: one that began and whose
   * task did not end, or ended before anybody saw the end of the effect, is the same effect still.
   */
  generation(key: string): number;
  /** The host is out: failed or unreachable. */
  down(): void;
  /** It comes to a part of a block, or leaves it with this status. */
  block(at: BlockMoment): void;
}

/** What else an end is. */
export interface EndedAs {
  /** That of all hosts, under this key of {@link RunRecord.once}. */
  readonly once?: string;
  /** That of something that does not stand in the order of tasks. */
  readonly of?: 'handler' | 'facts';
}

export type BlockMoment =
  | { readonly at: 'body'; readonly hasRescue: boolean }
  | { readonly at: 'rescue' | 'always' }
  | { readonly at: 'end'; readonly status: 'active' | 'failed' | 'unreachable' | 'rolled-back' | 'interrupted' };

/** How a task ended, with all that it did on the controller. */
export interface RecordedEnd extends Verdict {
  /** Values were left out because a secret is in them: who needs them has to ask the host again. */
  readonly isWithheld?: boolean;
  /** Variables that it set, by host. */
  readonly set?: readonly { readonly host: string; readonly values: Readonly<Record<string, unknown>> }[];
  /** Hosts and groups that it added. */
  readonly adds?: readonly InventoryAddition[];
  /** Hosts of which facts hold no more. */
  readonly distrusted?: readonly string[];
  /** What was gathered, where it is the gathering of facts. */
  readonly gathered?: unknown;
}

/** A record of nothing. */
export const noRecord: RunRecord = {
  isKept: false,
  of: () => noHostRecord,
  once: () => undefined,
  isDone: () => false,
  markDone: nothing,
  lease: () => undefined,
  leaseChanged: nothing,
  durable: async () => undefined,
};

const noHostRecord: HostRecord = {
  isLive: true,
  isRetried: false,
  replayed: 0,
  peek: () => undefined,
  next: () => undefined,
  handledBefore: () => [],
  notifiedAnew: nothing,
  ended: nothing,
  dropped: nothing,
  item: () => undefined,
  itemEnded: nothing,
  effectStarting: nothing,
  stepStarting: nothing,
  bootOf: () => undefined,
  begunEffects: () => undefined,
  attemptsMade: () => 0,
  attemptMade: nothing,
  generation: () => 0,
  down: nothing,
  block: nothing,
};

function nothing(): void {
  // There is nowhere to write it.
}

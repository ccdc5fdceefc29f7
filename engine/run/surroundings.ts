import type { Play } from '../language/playbook.ts';
import type { Coming } from './ahead/coming.ts';
import type { Budget } from './budget.ts';
import type { HostRun, Standing } from './host-run.ts';
import type { LeaseHold } from './lease-hold.ts';
import type { OnceResults } from './once.ts';

/** A play while it is run. */
export interface PlayProgress {
  readonly play: Play;
  readonly hosts: readonly HostRun[];
  /** The hosts of all plays so far, this one included. */
  readonly run: ReadonlySet<HostRun>;
  readonly budget: Budget;
  /** `meta: end_play` was met: no further host starts. */
  isEnded: boolean;
}

/** Hosts of a play that start together. */
export interface Batch {
  readonly hosts: readonly HostRun[];
  /** What its tasks with `run_once: batch` did. */
  readonly once: OnceResults;
}

/** One turn of an include, or of several inside each other. */
export interface Turn {
  /** Tells it apart from other turns, secrets too; nobody can tell from it what they are. */
  readonly key: string;
  /** The items of the loops around, and their numbers, by the names of the loops. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Where variables are read: besides those of a host and a task, these count. */
export interface Place {
  readonly play: Play;
  readonly turn?: Turn;
}

/** What is around a task in its play. */
export interface Surroundings extends Place {
  /** What follows, as far as it is known. */
  readonly coming?: Coming;
  readonly progress: PlayProgress;
  readonly batch: Batch;
  /** The leases of the blocks around, outermost first. */
  readonly leases: readonly LeaseHold[];
  /** In `rescue` and `always`: how each host stood that failed before. */
  readonly unwinding?: ReadonlyMap<HostRun, Standing>;
  /** In `always`, which hosts that `meta` ended early go through, too. */
  readonly isCleanUp: boolean;
}

/** The hosts that take part in what comes next. */
export function takingPart(hosts: readonly HostRun[], { isCleanUp }: Surroundings): HostRun[] {
  return hosts.filter((host) => host.status === 'active' && (isCleanUp || !host.hasEnded));
}

/** Whether a task ends on all hosts of a batch before the next one begins. Else each host goes on as fast as it can. */
export function isInStep({ strategy, serial }: Play): boolean {
  return strategy === 'linear' && serial.kind === 'batches';
}

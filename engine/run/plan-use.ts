import type { LoadedRun } from './load.ts';
import type { PlanGate } from './plan-gate.ts';
import type { RunRequest } from './request.ts';
import type { RunKey } from './run-key.ts';

/** How a run makes a plan, or does what one says. */
export interface PlanUse {
  readonly gate: PlanGate;
  /** By which the plan knows what it holds. */
  readonly key: RunKey;
  /** A plan is made: what will be another thing when it is applied (`run_id`, `check_mode`) is not known now. */
  readonly isMade: boolean;
  /** Hosts that the plan says nothing of, or not all, and that take no part. With the reason. */
  readonly leftOut: ReadonlyMap<string, string>;
  /** Where the plan is, for events about it as a whole. */
  readonly place: string;
  /** Everything was loaded, and nothing contacted. Raises `usage` where the plan does not hold for it; gives doubts. */
  opened(run: { readonly request: RunRequest; readonly loaded: LoadedRun }): Promise<readonly string[]>;
  /** What was planned for these hosts and was not come to, though the run is at its end: the names of tasks. */
  undone(hosts: readonly string[]): ReadonlyMap<string, readonly string[]>;
}

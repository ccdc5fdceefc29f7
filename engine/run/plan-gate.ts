import type { TaskResult } from '../base/events.ts';
import type { Diff } from '../module/contract.ts';

/**
 * What stands between what a task finds on a host and what it does about it. While a plan is made it notes both; while one
 * is applied it lets pass what was planned, and raises `state-moved` for everything else.
 */
export interface PlanGate {
  /** A task begins on a host: called once for each, in the order in which the host comes to them. */
  begin(task: BegunTask): TaskGate;
}

/** A task that begins on a host. */
export interface BegunTask {
  readonly id: string;
  readonly host: string;
  /** The key of the include's turn around it. */
  readonly turn?: string;
  /** The host failed before, and this is its `rescue` or `always`: no plan can say what that does. */
  readonly isUnwinding: boolean;
}

/** The gate of one task on one host. */
export interface TaskGate {
  /** A turn of the task's loop, by number from 0. Raises `state-moved` when it is of something else than planned. */
  item(number: number, value: unknown): TaskGate;
  /** Its conditions were asked; `unmet` is the first one that does not hold. */
  decided(unmet: string | undefined): void;
  /** What is pending, where it runs on host `on`: asked before the first effect, and again after leases were taken. */
  found(diff: Diff, on: string): void;
  /** The task, or the turn of its loop, has ended; gives the result as it is told. */
  ended<R extends Omit<TaskResult, 'durationMs'>>(result: R): R;
}

/** Lets everything pass. */
export const openTaskGate: TaskGate = {
  item: () => openTaskGate,
  decided: () => undefined,
  found: () => undefined,
  ended: (result) => result,
};

/** The gate of a run without a plan: it lets everything pass. */
export const openGate: PlanGate = { begin: () => openTaskGate };

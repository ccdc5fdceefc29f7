import type { FailureView, FinalState, HostSummary, Outcome, TaskResult } from '../base/events.ts';
import type { Host } from '../inventory/inventory.ts';
import type { Task } from '../language/playbook.ts';
import { type Answers, createAnswers } from './ahead/answers.ts';
import { createHostFacts, type HostFacts } from './facts/state.ts';
import { type HostRecord, noRecord } from './journal/record.ts';
import { createPredictedState, type PredictedState } from './predicted.ts';

/** A failure, with the task that had it. */
export type HostFailure = FailureView & { readonly task: string };

/** How a host stands: what a rescue that rescues nothing leaves as it was. */
export type Standing = Readonly<Pick<HostRun, 'status' | 'failure' | 'leftOut'>>;

/** Everything that a run knows about one host. Its tasks run one after another, so nothing here needs a lock. */
export interface HostRun {
  readonly name: string;
  /** As the inventory has it now: its groups can grow. */
  host: Host;
  /** Registered results, facts and `set-fact` values, by name. They are data: never rendered. */
  readonly data: Record<string, unknown>;
  readonly facts: HostFacts;
  /** `active`: takes part in the next task. */
  status: 'active' | 'failed' | 'unreachable' | 'rolled-back' | 'interrupted';
  /** Stays while the rescue or `always` of what failed is run; gone when the host was rescued. */
  failure?: HostFailure;
  /** It was found out of reach: what needs the host itself is not tried, until it was rescued. */
  isCutOff: boolean;
  /** Why, where it is not out of reach. */
  cutOffBecause?: string;
  /** The second Ctrl-C aborted its task. */
  isAborted: boolean;
  /** How many tasks were not run because the host is cut off. */
  leftOut: number;
  hasStarted: boolean;
  /** `meta` ended the play for it, without failure: what is left of the play is not for this host. */
  hasEnded: boolean;
  readonly counts: Record<Outcome, number>;
  /** Handlers to run at the next flush. */
  readonly notified: Set<Task>;
  /** Check mode: handlers that only tasks with an unknown outcome would notify. */
  readonly perhapsNotified: Set<Task>;
  readonly predicted: PredictedState;
  /** What it answered to questions of coming tasks. */
  readonly answers: Answers;
  /** What former processes of the run did on it, and where this one writes what it does. */
  readonly record: HostRecord;
  readonly keptLeases: { readonly task: string; readonly reason: string }[];
  /** Why an effect could not be verified, by the name of its task. */
  readonly unverified: Map<string, string>;
}

/** A host of which nothing is known yet. */
export function createHostRun(host: Host, record: HostRecord = noRecord.of(host.name), now = Date.now): HostRun {
  const data: Record<string, unknown> = {};
  return {
    name: host.name,
    host,
    data,
    facts: createHostFacts(data),
    status: 'active',
    isCutOff: false,
    isAborted: false,
    leftOut: 0,
    hasStarted: false,
    hasEnded: false,
    counts: { ok: 0, changed: 0, skipped: 0, unknown: 0, failed: 0, unreachable: 0, rescued: 0, ignored: 0 },
    notified: new Set(),
    perhapsNotified: new Set(),
    predicted: createPredictedState(),
    answers: createAnswers(now),
    record,
    keptLeases: [],
    unverified: new Map(),
  };
}

/** Counts a task's outcome and, where it puts the host out, says why. What was interrupted has not failed by itself. */
export function recordOutcome(
  host: HostRun,
  task: string,
  { outcome, failure, unverified }: Pick<TaskResult, 'outcome' | 'failure' | 'unverified'>,
): void {
  host.counts[outcome]++;
  if (unverified !== undefined) host.unverified.set(task, unverified);
  if (failure?.code === 'interrupted') {
    host.status = 'interrupted';
    host.isAborted = true;
  } else if (outcome === 'failed' || outcome === 'unreachable') {
    host.status = outcome;
    host.record.down();
    if (failure) host.failure = { ...failure, task };
  }
}

/** Ends the run for hosts that were still to do something when the user interrupted it. */
export function leaveOut(hosts: readonly HostRun[]): undefined {
  for (const host of hosts) if (host.status === 'active') host.status = 'interrupted';
}

/**
 * Runs what failed hosts take part in, too. What had failed or was interrupted before is so after it, whatever happened
 * in it.
 */
export async function asActive(hosts: readonly HostRun[], body: () => Promise<void>): Promise<void> {
  const before = hosts.map(({ status, failure }) => ({ status, failure }));
  for (const host of hosts) host.status = 'active';
  await body();
  for (const [i, host] of hosts.entries()) {
    const { status = 'active', failure } = before[i] ?? {};
    if (status === 'active') continue;
    host.status = status;
    if (failure) host.failure = failure;
  }
}

/** How a host stands at this moment. */
export function standingOf({ status, failure, leftOut }: HostRun): Standing {
  return { status, leftOut, ...(failure && { failure }) };
}

/** Makes a host stand as it stood. */
export function restore(host: HostRun, { status, failure }: Standing): void {
  host.status = status;
  if (failure) host.failure = failure;
  else delete host.failure;
}

/** Whether a host has failed and was not rescued so far; its rescue may be under way. */
export function hasFailed({ failure }: HostRun): boolean {
  return failure !== undefined;
}

/** A host's line in the recap. */
export function summaryOf(run: HostRun): HostSummary {
  return {
    host: run.name,
    state: finalStateOf(run),
    counts: run.counts,
    ...(run.failure && { failure: run.failure }),
    pendingHandlers: [...run.notified].map((handler) => handler.name),
    leases: run.keptLeases,
    ...(run.unverified.size > 0 && { unverified: [...run.unverified].map(([task, reason]) => ({ task, reason })) }),
  };
}

function finalStateOf(run: HostRun): FinalState {
  if (!run.hasStarted) return 'not-started';
  if (run.status !== 'active') return run.status;
  return run.counts.changed > 0 ? 'changed' : 'ok';
}

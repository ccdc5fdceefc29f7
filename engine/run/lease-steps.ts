import { hostname, userInfo } from 'node:os';
import { RunbookError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import type { AnyLease, LeaseRun, Lost } from '../module/contract.ts';
import type { Step, StepResult } from '../module/step.ts';
import { type StepOptions, stepRunnerFor } from './attempt-setup.ts';
import { type RunContext, refOf } from './context.ts';
import type { HostRun } from './host-run.ts';
import type { LeaseHold } from './lease-hold.ts';
import { shown } from './no-log.ts';
import type { StepRunner } from './step-runner.ts';

/** What became of a lease on a host, as an event tells it. */
export type LeaseEvent =
  | 'lease-taking'
  | 'lease-taken'
  | 'lease-renewed'
  | 'lease-released'
  | 'lease-kept'
  | 'lease-lost';

/** The module of a block's lease. */
export function leaseModule(hold: LeaseHold): AnyLease {
  // The playbook's loader lets nothing else under `lease:`.
  return hold.clause.task.module as AnyLease;
}

/** What a lease's module is told of the run. */
export function leaseRunOf({ runId, clock }: RunContext, host: HostRun): LeaseRun {
  return { runId, who: `${userInfo().username}@${hostname()}`, host: host.name, now: () => clock.now() };
}

/** Runs the steps of a lease where its task runs. */
export function leaseSteps(context: RunContext, hold: LeaseHold, host: HostRun, options: StepOptions): StepRunner {
  const { task } = hold.clause;
  return stepRunnerFor(context, task, host, hold.place, context.scopeOf(host, hold.place, task), options);
}

/**
 * Runs what gives a lease back, or keeps it in part. The second Ctrl-C does not abort it: a node must not stay out of service because somebody was in a hurry.
 *
 * Before it is given back, what was done under it has to be on disk: whoever resumes a run that died here would take the lease
 * once more to do it. Where that cannot be written, or takes too long, it is given back all the same.
 */
export async function driveToEnd(
  context: RunContext,
  hold: LeaseHold,
  host: HostRun,
  steps: Generator<Step, Lost | void, StepResult>,
): Promise<Lost | void> {
  const isLate = new Promise<void>((resolve) => {
    AbortSignal.timeout(diskMs).addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([context.record.durable().catch(() => undefined), isLate]);
  const { signal } = new AbortController();
  return leaseSteps(context, hold, host, { signal }).drive(steps);
}

/** A disk that hangs must not keep a node out of service. */
const diskMs = 10_000;

/** Tells what became of a lease. */
export function tellLease(
  context: RunContext,
  hold: LeaseHold,
  host: HostRun,
  type: LeaseEvent,
  reason?: string,
): void {
  const { task } = hold.clause;
  context.bus.emit({
    type,
    task: refOf(context, task, hold.place.turn),
    host: host.name,
    grant: shown(task, hold.of(host.name).grant),
    ...(reason !== undefined && { reason }),
  });
}

/** A grant is written down, for whoever has to give the lease back: nothing secret may be in it. */
export function checkedGrant({ name }: AnyLease, grant: unknown): unknown {
  if (!hasSecret(grant)) return grant;
  throw new RunbookError('task-failed', `the grant of the lease ${name} holds a secret`, {
    hint: 'it is written to the journal: leave out of it what `release` finds in its arguments anyway',
  });
}

/** Whether there is a secret in JSON-like data. */
export function hasSecret(value: unknown): boolean {
  if (value instanceof Secret) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasSecret);
}

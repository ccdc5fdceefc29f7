import type { FailureView } from '../base/events.ts';
import type { RunContext } from './context.ts';
import { type HostRun, recordOutcome } from './host-run.ts';
import type { LeaseChange, RecordedLease } from './journal/record.ts';
import { outcomeOf } from './judgement.ts';
import { type LeaseHold, releaseDecision } from './lease-hold.ts';
import { driveToEnd, leaseModule, leaseRunOf, tellLease } from './lease-steps.ts';
import { failureOf } from './no-log.ts';
import { failureView } from './step-runner.ts';
import { renderArguments } from './task-arguments.ts';

/** The block has ended: gives its lease back on each host, or keeps it and says why. */
export async function settleLease(context: RunContext, hold: LeaseHold, hosts: readonly HostRun[]): Promise<void> {
  await Promise.all(hosts.map((host) => settle(context, hold, host)));
}

async function settle(context: RunContext, hold: LeaseHold, host: HostRun): Promise<void> {
  const held = hold.of(host.name);
  const isUnused = held.state === 'not-taken' || held.state === 'not-needed';
  // In a resumed run nothing may be left to do under a lease that the former process took.
  const recorded = isUnused ? context.record.lease(host.name, hold.key) : undefined;
  if (recorded) takeUp(context, hold, host, recorded);
  if (held.state !== 'held' && held.state !== 'lost') return;
  await held.renewal?.stop();
  const decision = releaseDecision(hold.clause, held, endOf(host));
  if (decision.release) await releaseLease(context, hold, host, { isUndo: recorded?.state === 'taking' });
  else await keepLease(context, hold, host, decision.reason);
}

/** Holds what a former process of the run took. */
export function takeUp(context: RunContext, hold: LeaseHold, host: HostRun, recorded: RecordedLease): void {
  const { task } = hold.clause;
  const held = hold.of(host.name);
  held.state = 'held';
  held.grant = recorded.grant;
  held.hasEffects = recorded.hasEffects;
  held.args = recorded.args ?? renderArguments(context, task, context.scopeOf(host, hold.place, task));
}

function endOf({ status }: HostRun): 'succeeded' | 'failed' | 'interrupted' {
  if (status === 'interrupted') return 'interrupted';
  return status === 'active' ? 'succeeded' : 'failed';
}

/** What became of a lease that was to be given back. */
export type ReleaseEnd =
  | { readonly is: 'released' }
  /** There was nothing to give back: another holder has it, or nobody. */
  | { readonly is: 'lost'; readonly reason: string }
  | { readonly is: 'kept'; readonly reason: string };

/**
 * Gives a lease back. A release that fails, or that finds it lost, puts the host out, and the recap names the lease that is
 * still held.
 */
export async function releaseLease(
  context: RunContext,
  hold: LeaseHold,
  host: HostRun,
  { isUndo }: { readonly isUndo: boolean },
): Promise<ReleaseEnd> {
  const { task } = hold.clause;
  const { args, grant } = hold.of(host.name);
  try {
    const run = leaseRunOf(context, host);
    const answer = await driveToEnd(
      context,
      hold,
      host,
      leaseModule(hold).release({ args: args as never, grant, isUndo, ...run }),
    );
    note(context, hold, host, { at: 'released' });
    tellLease(context, hold, host, answer ? 'lease-lost' : 'lease-released', answer?.lost);
    if (answer && !isUndo) putOut(hold, host, { code: 'task-failed', message: answer.lost });
    return answer ? { is: 'lost', reason: answer.lost } : { is: 'released' };
  } catch (error) {
    const failure = failureOf(task, failureView(error));
    const reason = `it could not be released: ${failure.message}`;
    noteKept(context, hold, host, reason);
    if (!isUndo) putOut(hold, host, failure);
    return { is: 'kept', reason };
  }
}

/** Keeps a lease beyond the run, except for what must not be held without a run. One that is not held any more is not kept. */
export async function keepLease(context: RunContext, hold: LeaseHold, host: HostRun, reason: string): Promise<void> {
  const { args, grant, state, lostBecause } = hold.of(host.name);
  const { keep } = leaseModule(hold);
  let left = '';
  try {
    const steps = keep?.({ args: args as never, grant, reason, ...leaseRunOf(context, host) });
    const answer = steps ? await driveToEnd(context, hold, host, steps) : undefined;
    // Only its module can tell whether a part of what was lost is still there.
    const lost = answer?.lost ?? (state === 'lost' && !keep ? lostBecause : undefined);
    if (lost !== undefined) return noteLost(context, hold, host, lost);
  } catch (error) {
    left = `; and not even a part of it could be given back: ${failureOf(hold.clause.task, failureView(error)).message}`;
  }
  noteKept(context, hold, host, `${reason}${left}`);
}

function noteLost(context: RunContext, hold: LeaseHold, host: HostRun, reason: string): void {
  note(context, hold, host, { at: 'released' });
  if (hold.of(host.name).state !== 'lost') tellLease(context, hold, host, 'lease-lost', reason);
}

function noteKept(context: RunContext, hold: LeaseHold, host: HostRun, reason: string): void {
  host.keptLeases.push({ task: hold.clause.task.name, reason });
  note(context, hold, host, { at: 'kept', reason });
  tellLease(context, hold, host, 'lease-kept', reason);
}

/** What is done is done, also where it cannot be written down any more: the record itself tells its problem. */
function note({ record }: RunContext, { key }: LeaseHold, host: HostRun, change: LeaseChange): void {
  try {
    record.leaseChanged(host.name, key, change);
  } catch (error) {
    if (record.problem === undefined) throw error;
  }
}

function putOut(hold: LeaseHold, host: HostRun, failure: FailureView): void {
  if (host.status !== 'active') return;
  recordOutcome(host, `${hold.clause.task.name} (release)`, { outcome: outcomeOf(failure), failure });
}

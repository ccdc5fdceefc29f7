import { RunbookError } from '../base/errors.ts';
import type { TaskResult } from '../base/events.ts';
import type { Task } from '../language/playbook.ts';
import { changeViews, unknownReasonOf } from './attempt.ts';
import { type RunContext, refOf } from './context.ts';
import { CutOffError, noteReach } from './cut-off.ts';
import { type HostRun, recordOutcome } from './host-run.ts';
import type { RecordedLease } from './journal/record.ts';
import { LeaseRefusal, outcomeOf } from './judgement.ts';
import { keepLease, releaseLease } from './lease-end.ts';
import type { LeaseHold } from './lease-hold.ts';
import { startRenewal } from './lease-renewal.ts';
import { checkedGrant, hasSecret, leaseModule, leaseRunOf, leaseSteps, tellLease } from './lease-steps.ts';
import { failureOf, resultOf } from './no-log.ts';
import { failureView } from './step-runner.ts';
import { renderArguments } from './task-arguments.ts';

/**
 * Takes the leases around a task that is about to change its host, outermost first, unless they are held already, and
 * notes that something happens under them. True when one was taken just now: the host may look different afterwards.
 * Rejects with a LeaseRefusal when one cannot be taken, and with a failure when one was lost. In check mode it only says
 * what taking them would change.
 */
export async function takeLeases(context: RunContext, holds: readonly LeaseHold[], host: HostRun): Promise<boolean> {
  let wasTaken = false;
  for (const hold of holds) {
    const held = hold.of(host.name);
    if (held.state === 'refused') throw new LeaseRefusal(refusal(hold.clause.task));
    if (held.state === 'not-taken') wasTaken = (await take(context, hold, host)) || wasTaken;
  }
  checkLeases(holds, host);
  if (!context.request.isCheckMode) for (const hold of holds) markUsed(context, hold, host);
  return wasTaken;
}

/** Raises a failure when one of the leases was lost: nothing more may be done under it. */
export function checkLeases(holds: readonly LeaseHold[], host: HostRun): void {
  for (const hold of holds) {
    const held = hold.of(host.name);
    if (held.state !== 'lost') continue;
    const { name, noLog } = hold.clause.task;
    const reason = noLog ? '' : `: ${held.lostBecause}`;
    throw new RunbookError('task-failed', `nothing more is done here: the lease "${name}" was lost${reason}`);
  }
}

function markUsed(context: RunContext, hold: LeaseHold, host: HostRun): void {
  const held = hold.of(host.name);
  if (held.hasEffects) return;
  held.hasEffects = true;
  if (held.state === 'held') context.record.leaseChanged(host.name, hold.key, { at: 'used' });
}

async function take(context: RunContext, hold: LeaseHold, host: HostRun): Promise<boolean> {
  const { task } = hold.clause;
  const held = hold.of(host.name);
  const { bus, clock, request } = context;
  const started = clock.now();
  const ref = refOf(context, task);
  const module = leaseModule(hold);
  const end = (result: Omit<TaskResult, 'durationMs'>): void => ended(context, task, host, started, result);
  const begin = (): void => {
    bus.emit({ type: 'task-started', task: ref, hosts: [host.name], isHandler: false });
    bus.emit({ type: 'host-task-started', task: ref, host: host.name });
  };
  let isBegun = false;
  try {
    const scope = context.scopeOf(host, hold.place, task);
    if (task.when.some((condition) => !condition.test(scope))) {
      held.state = 'not-needed';
      return false;
    }
    begin();
    isBegun = true;
    const args = renderArguments(context, task, scope);
    // The first Ctrl-C is enough: nothing has been done yet that a lease is needed for.
    const signal = AbortSignal.any([request.signal, request.abort]);
    const steps = leaseSteps(context, hold, host, { signal });
    const current = await steps.ask(module.probe(args));
    const diff = module.diff(current, args);
    const changes = 'unknown' in diff ? [] : diff;
    held.args = args;
    if (request.isCheckMode) {
      held.state = 'predicted';
      if ('unknown' in diff) end({ outcome: 'unknown', changes: [], message: diff.unknown });
      else end({ outcome: changes.length > 0 ? 'changed' : 'ok', changes: changeViews(changes) });
      return false;
    }
    const run = leaseRunOf(context, host);
    // Of a process of this run that was killed: it says how things were before that one.
    const recorded = context.record.lease(host.name, hold.key);
    held.grant = recorded?.grant ?? checkedGrant(module, module.grant({ args, current, ...run }));
    noteTaking(context, hold, host);
    let message: string | void;
    try {
      message = await steps.drive(module.acquire({ args, current, grant: held.grant, ...run }));
    } catch (error) {
      await giveUp(context, hold, host, recorded);
      throw error;
    }
    held.state = 'held';
    held.hasEffects = recorded?.hasEffects === true;
    context.record.leaseChanged(host.name, hold.key, { at: 'taken' });
    tellLease(context, hold, host, 'lease-taken');
    keepRenewing(context, hold, host);
    const outcome = changes.length > 0 ? 'changed' : 'ok';
    end({ outcome, changes: changeViews(changes), ...(typeof message === 'string' && { message }) });
    return true;
  } catch (error) {
    if (!isBegun) begin();
    const unknownReason = unknownReasonOf(error);
    if (unknownReason !== undefined) {
      held.state = 'predicted';
      end({ outcome: 'unknown', changes: [], message: unknownReason });
      return false;
    }
    held.state = 'refused';
    if (error instanceof CutOffError) {
      host.leftOut++;
      end({ outcome: 'skipped', changes: [], message: error.told });
      throw new LeaseRefusal(refusal(task));
    }
    const failure = failureView(error);
    noteReach(host, outcomeOf(failure), task.delegateTo !== undefined);
    end({ outcome: outcomeOf(failure), changes: [], failure });
    throw new LeaseRefusal(refusal(task));
  }
}

/** Writes down what will be needed to give it back, before anything is done to take it. */
function noteTaking(context: RunContext, hold: LeaseHold, host: HostRun): void {
  const { task } = hold.clause;
  const { grant, args } = hold.of(host.name);
  context.record.leaseChanged(host.name, hold.key, {
    at: 'taking',
    task: { id: task.id, name: task.name, module: task.module.name },
    grant,
    ...(!hasSecret(args) && { args }),
  });
  tellLease(context, hold, host, 'lease-taking');
}

/** It could not be taken: what was taken so far is given back, but not what a former process left on a changed host. */
async function giveUp(
  context: RunContext,
  hold: LeaseHold,
  host: HostRun,
  recorded: RecordedLease | undefined,
): Promise<void> {
  if (recorded?.hasEffects) await keepLease(context, hold, host, 'the host was changed under it before it failed');
  else await releaseLease(context, hold, host, { isUndo: true });
}

function keepRenewing(context: RunContext, hold: LeaseHold, host: HostRun): void {
  const { renew, renewEveryMs } = leaseModule(hold);
  if (!renew || renewEveryMs === undefined) return;
  const held = hold.of(host.name);
  let isTold = false;
  held.renewal = startRenewal(context.clock, renewEveryMs, async (signal) => {
    try {
      const steps = leaseSteps(context, hold, host, { signal, isInBackground: true });
      const { args, grant } = held;
      const answer = await steps.drive(renew({ args: args as never, grant, ...leaseRunOf(context, host) }));
      if (answer) return lose(context, hold, host, answer.lost);
      isTold = false;
      tellLease(context, hold, host, 'lease-renewed');
    } catch (error) {
      if (!isTold && !signal.aborted) tellNotRenewed(context, hold, host, error);
      isTold = true;
    }
    return true;
  });
}

function lose(context: RunContext, hold: LeaseHold, host: HostRun, reason: string): false {
  const held = hold.of(host.name);
  held.state = 'lost';
  held.lostBecause = reason;
  tellLease(context, hold, host, 'lease-lost', reason);
  return false;
}

function tellNotRenewed(context: RunContext, hold: LeaseHold, host: HostRun, error: unknown): void {
  const { task } = hold.clause;
  const { message } = failureOf(task, failureView(error));
  const text = `the lease "${task.name}" of ${host.name} could not be renewed: ${message}`;
  context.bus.emit({ type: 'warning', diagnostic: { severity: 'warning', message: text, hint: 'it is tried again' } });
}

function ended(
  context: RunContext,
  task: Task,
  host: HostRun,
  started: number,
  end: Omit<TaskResult, 'durationMs'>,
): void {
  const result = resultOf(task, end);
  recordOutcome(host, task.name, result);
  const durationMs = context.clock.now() - started;
  context.bus.emit({ type: 'host-task-ended', task: refOf(context, task), host: host.name, durationMs, ...result });
}

function refusal(task: Task): string {
  return `not run: the lease "${task.name}" was not taken`;
}

import type { TaskResult } from '../base/events.ts';
import type { Task } from '../language/playbook.ts';
import type { AnyLease } from '../module/contract.ts';
import { changeViews, unknownReasonOf } from './attempt.ts';
import { renderArguments, stepRunnerFor } from './attempt-setup.ts';
import { type RunContext, refOf } from './context.ts';
import { type HostRun, recordOutcome } from './host-run.ts';
import { LeaseRefusal, outcomeOf } from './judgement.ts';
import type { LeaseHold } from './lease-hold.ts';
import { failureOf, resultOf, shown } from './no-log.ts';
import { failureView } from './step-runner.ts';

/**
 * Takes the leases around a task that is about to change its host, outermost first, unless they are held already, and
 * notes that something happens under them. True when one was taken just now: the host may look different afterwards.
 * Rejects with a LeaseRefusal when one cannot be taken. In check mode it only says what taking them would change.
 */
export async function takeLeases(context: RunContext, holds: readonly LeaseHold[], host: HostRun): Promise<boolean> {
  let wasTaken = false;
  for (const hold of holds) {
    const held = hold.of(host.name);
    if (held.state === 'refused') throw new LeaseRefusal(refusal(hold.clause.task));
    if (held.state === 'not-taken') wasTaken = (await take(context, hold, host)) || wasTaken;
  }
  if (!context.request.isCheckMode) for (const hold of holds) hold.of(host.name).hasEffects = true;
  return wasTaken;
}

/** Gives a lease back. A release that fails puts the host out, and the recap names the lease that is still held. */
export async function releaseLease(context: RunContext, hold: LeaseHold, host: HostRun): Promise<void> {
  const { task } = hold.clause;
  const held = hold.of(host.name);
  const module = task.module as AnyLease;
  const eventBody = { task: refOf(context, task), host: host.name, grant: shown(task, held.grant) };
  try {
    // The second Ctrl-C does not abort it: a node must not stay out of service because somebody was in a hurry.
    const { signal } = new AbortController();
    const steps = stepRunnerFor(context, task, host, hold.place, context.scopeOf(host, hold.place, task), signal);
    await steps.drive(module.release({ args: held.args as never, grant: held.grant }));
    context.bus.emit({ type: 'lease-released', ...eventBody });
  } catch (error) {
    const failure = failureOf(task, failureView(error));
    const reason = `it could not be released: ${failure.message}`;
    host.keptLeases.push({ task: task.name, reason });
    context.bus.emit({ type: 'lease-kept', ...eventBody, reason });
    if (host.status === 'active')
      recordOutcome(host, `${task.name} (release)`, { outcome: outcomeOf(failure), failure });
  }
}

async function take(context: RunContext, hold: LeaseHold, host: HostRun): Promise<boolean> {
  const { task } = hold.clause;
  const held = hold.of(host.name);
  const { bus, clock, request } = context;
  const started = clock.now();
  const ref = refOf(context, task);
  const module = task.module as AnyLease;
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
    const steps = stepRunnerFor(context, task, host, hold.place, scope);
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
    held.grant = await steps.drive(module.acquire({ args, current, runId: context.runId }));
    held.state = 'held';
    bus.emit({ type: 'lease-taken', task: ref, host: host.name, grant: shown(task, held.grant) });
    end({ outcome: changes.length > 0 ? 'changed' : 'ok', changes: changeViews(changes) });
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
    const failure = failureView(error);
    end({ outcome: outcomeOf(failure), changes: [], failure });
    throw new LeaseRefusal(refusal(task));
  }
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

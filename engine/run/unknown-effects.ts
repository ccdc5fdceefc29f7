import { UnknownValueError } from '../base/unknown.ts';
import type { Task } from '../language/playbook.ts';
import type { Scope } from '../language/value.ts';
import { delegateOf } from './addressing.ts';
import { prepareAttempt, type TaskSurroundings } from './attempt-setup.ts';
import type { RunContext } from './context.ts';
import { distrustFacts } from './facts/state.ts';
import type { HostRun } from './host-run.ts';
import { delegatedPredictions, expectAnything, type PredictedState } from './predicted.ts';

/** A task on a host of which check mode cannot tell whether it runs, or with which arguments. */
export interface UnknownTask {
  readonly context: RunContext;
  readonly task: Task;
  readonly host: HostRun;
  readonly surroundings: TaskSurroundings;
  readonly scope: Scope;
  /** What the turn of its loop brings. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** Remembers what a task may change, so that the tasks after it are unknown where they need it. Never rejects. */
export async function expectPerhaps(unknown: UnknownTask, reason: string): Promise<void> {
  const { context, task, host, scope } = unknown;
  const on = hostOf(context, task, host, scope);
  if (task.module.kind === 'resource') {
    const isExplored = on === host && (await explore(unknown, reason));
    if (!isExplored)
      expectAnything(delegatedPredictions(on.predicted, host.predicted), `"${task.name}"`, knownParts(unknown), reason);
    distrustFacts(on, task, true);
  }
  if (task.module.kind === 'action') {
    const names = task.module.sets?.(task.args.written as Readonly<Record<string, unknown>>) ?? [];
    for (const name of names) setUnknown((task.delegateFacts ? on : host).data, name, task, reason);
  }
}

function hostOf(context: RunContext, task: Task, host: HostRun, scope: Scope): HostRun {
  try {
    const delegate = delegateOf(task, scope);
    return (delegate === undefined ? undefined : context.hosts.get(delegate)) ?? host;
  } catch {
    return host;
  }
}

/** Finds out what the task would change if it ran. False when that cannot be told. */
async function explore(unknown: UnknownTask, reason: string): Promise<boolean> {
  const { context, task, host, surroundings, scope } = unknown;
  const why = `"${task.name}" may change it: ${reason}`;
  let isTold = false;
  const tentative: PredictedState = {
    any: host.predicted.any,
    anyOfHost: host.predicted.anyOfHost,
    of: (resource) => host.predicted.of(resource),
    under: (prefix) => host.predicted.under(prefix),
    record: (changes) => {
      isTold = changes.length > 0;
      host.predicted.recordUncertain(changes, why);
    },
    recordUncertain: () => undefined,
    recordAnything: () => undefined,
  };
  try {
    const withoutLease = { ...surroundings, beforeEffect: () => Promise.resolve(false) };
    const attempt = prepareAttempt(context, task, { ...host, predicted: tentative }, withoutLease, scope);
    const { outcome } = await attempt.make();
    return isTold || outcome === 'ok';
  } catch {
    // What would fail now may not fail then.
    return false;
  }
}

/** Those of the task's arguments that are known. */
function knownParts({ task, scope }: UnknownTask): unknown[] {
  return (task.args.parts ?? []).flatMap((part) => {
    try {
      return [part.render(scope)];
    } catch {
      return [];
    }
  });
}

/** Whoever reads the variable learns why it is not known, until a task sets it to something. */
function setUnknown(data: Record<string, unknown>, name: string, task: Task, reason: string): void {
  Object.defineProperty(data, name, {
    enumerable: true,
    configurable: true,
    get: () => {
      throw new UnknownValueError(`"${task.name}" may set ${name}: ${reason}`);
    },
    set: (value: unknown) => {
      Object.defineProperty(data, name, { value, enumerable: true, configurable: true, writable: true });
    },
  });
}

import { RunbookError } from '../base/errors.ts';
import type { Task } from '../language/playbook.ts';
import type { InventoryAddition } from '../module/contract.ts';
import type { RunContext } from './context.ts';
import { noteReach } from './cut-off.ts';
import { distrustFacts } from './facts/state.ts';
import type { HostRun } from './host-run.ts';
import { worthKeeping } from './journal/encode-end.ts';
import type { RecordedEnd } from './journal/record.ts';
import type { TaskEnd, Verdict } from './judgement.ts';

/** What a task does on the controller besides its result: a later process does it again without running the task. */
export interface Trail {
  readonly set: { readonly host: string; readonly values: Readonly<Record<string, unknown>> }[];
  readonly adds: InventoryAddition[];
  readonly distrusted: Set<string>;
}

/** A trail with nothing on it. */
export function createTrail(): Trail {
  return { set: [], adds: [], distrusted: new Set() };
}

/** Takes what the turn of a loop left on its trail into that of the task. */
export function joinTrail(trail: Trail, { set, adds, distrusted }: Trail): void {
  trail.set.push(...set);
  trail.adds.push(...adds);
  for (const host of distrusted) trail.distrusted.add(host);
}

/** How a task ended, with its trail, as far as a later process needs it. */
export function recordedOf<V extends Verdict>(task: Task, end: V, { set, adds, distrusted }: Trail): RecordedEnd {
  return {
    ...worthKeeping(end, task),
    ...(set.length > 0 && { set }),
    ...(adds.length > 0 && { adds }),
    ...(distrusted.size > 0 && { distrusted: [...distrusted] }),
  };
}

/** Does what a task that ended in a former process did on the controller. Its host is not contacted. */
export async function retrace(context: RunContext, task: Task, host: HostRun, end: RecordedEnd): Promise<Trail> {
  const { set = [], adds = [], distrusted = [], result } = end;
  for (const { host: name, values } of set) Object.assign(context.hosts.get(name)?.data ?? {}, values);
  for (const addition of adds) await context.inventory.add(addition);
  for (const name of distrusted) {
    const on = context.hosts.get(name);
    if (on) distrustFacts(on, task, false);
  }
  noteReach(host, result.outcome, task.delegateTo !== undefined);
  return { set: [...set], adds: [...adds], distrusted: new Set(distrusted) };
}

/**
 * Runs a task again whose values are not in the record, because there is a secret in them. It may find them again, but it
 * may not have an effect. Where it cannot, whoever reads them is told so.
 */
export async function findValuesAgain<V extends Verdict>(
  task: Task,
  recorded: RecordedEnd,
  run: (beforeEffect: () => Promise<never>) => Promise<V>,
): Promise<Verdict> {
  const found = await run(() => Promise.reject(new RunbookError('task-failed', notFound(task))));
  const { outcome } = found.result;
  const hasFound = outcome === recorded.result.outcome || (outcome !== 'failed' && outcome !== 'unreachable');
  if (hasFound) return { ...recorded, registered: found.registered, ...(found.facts && { facts: found.facts }) };
  return { ...recorded, registered: unreadable(task) };
}

/** What a `run_once` task did in a former process on a host that is not there now. */
export function replayedElsewhere(
  task: Task,
  known: RecordedEnd & { readonly host: string },
): TaskEnd & { readonly host: string } {
  const registered = known.isWithheld ? unreadable(task) : known.registered;
  return { ...known, registered, result: { durationMs: 0, ...known.result } };
}

function unreadable(task: Task): object {
  const raise = (): never => {
    throw new RunbookError('task-failed', notFound(task), {
      hint: 'run the playbook again from its beginning, or take the value from a file or a variable',
    });
  };
  return new Proxy(
    {},
    {
      get: (_target, key) => (typeof key === 'symbol' ? undefined : raise()),
      has: () => true,
      // Expressions ask for a field before they read it.
      getOwnPropertyDescriptor: (_target, key) => (typeof key === 'symbol' ? undefined : raise()),
    },
  );
}

function notFound({ name }: Task): string {
  return `what "${name}" found is not in the record of the run, since there is a secret in it, and cannot be found again without doing it again`;
}

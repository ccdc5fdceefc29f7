import type { LimitFunction } from 'p-limit';
import type { Clock } from '../base/clock.ts';
import type { EventBus, TaskRef } from '../base/events.ts';
import { formatRange } from '../base/source.ts';
import type { GrowingInventory } from '../inventory/growth.ts';
import type { Include, Meta, Task } from '../language/playbook.ts';
import type { Scope, Value } from '../language/value.ts';
import type { Validator } from '../module/arguments.ts';
import type { Connections } from './connections.ts';
import type { FileStore } from './controller.ts';
import type { FactReaders } from './facts/readers.ts';
import type { HostRun } from './host-run.ts';
import type { InputCheck } from './inputs-check.ts';
import type { RunRecord } from './journal/record.ts';
import type { OnceResults } from './once.ts';
import type { PlanGate } from './plan-gate.ts';
import type { RunRequest } from './request.ts';
import type { RunKey } from './run-key.ts';
import { isInStep, type Place, type Surroundings, type Turn } from './surroundings.ts';
import type { VariableLayers } from './variables.ts';

/** What every part of a run shares. */
export interface RunContext {
  readonly request: RunRequest;
  readonly runId: string;
  /** The bus on which secrets are masked already. */
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly inventory: GrowingInventory;
  readonly store: FileStore;
  readonly connections: Connections;
  readonly validator: Validator;
  /** Every host of the inventory, and those that tasks are delegated to. Hosts that are added come in. */
  readonly hosts: Map<string, HostRun>;
  readonly factReaders: FactReaders;
  /** Runs a job when one of the run's forks is free. */
  readonly limit: <T>(job: () => Promise<T>) => Promise<T>;
  /** The variables as a task on a host sees them; `extra` lies over all of them (a loop's `item`). */
  readonly scopeOf: (
    host: HostRun,
    place: Place,
    task?: VariableLayers,
    extra?: Readonly<Record<string, unknown>>,
  ) => Scope;
  /** Whether `--tags` and `--skip-tags` leave something with these tags in. */
  readonly isSelected: (tagged: { readonly tags: readonly string[] }) => boolean;
  /** Judges the inputs of plays and roles. */
  readonly checkInputs: InputCheck;
  /** Makes what tells items of loops apart, in the record, in plans and on hosts. */
  readonly key: RunKey;
  /** What former processes of the same run did, and where this one writes what it does. */
  readonly record: RunRecord;
  /** Notes what is planned, or holds the run to a plan. */
  readonly plan: PlanGate;
  /** What `run_once` tasks did. */
  readonly once: OnceResults;
  /** The run's own `throttle`, by task id: it holds for hosts that come to the task at different times, too. */
  readonly throttles: Map<string, LimitFunction>;
  /** See {@link refOf}. */
  readonly refs: WeakMap<Task | Include | Meta, TaskRef>;
  /** See {@link nameTask}. */
  readonly names: Map<string, TaskRef>;
}

/** A task as events name it, worked out once: there are several events for each host. */
export function refOf(context: Pick<RunContext, 'refs' | 'names'>, task: Task | Include | Meta, turn?: Turn): TaskRef {
  const named = task.kind === 'task' && task.nameTemplate && context.names.get(keyOf(task, turn));
  const known = named ?? context.refs.get(task);
  if (known) return known;
  const module = task.kind === 'task' ? task.module.name : task.kind === 'include' ? 'include_tasks' : 'meta';
  const ref = { id: task.id, name: task.name, module, place: formatRange(task.range) };
  context.refs.set(task, ref);
  return ref;
}

/**
 * Renders the name of a task that begins on hosts, where it is a template: what all of them see alike is its name from here
 * on. Where they differ, or one cannot tell, its name is the template as it is written. Out of step all hosts of the play
 * are asked, once: it is one task, whoever comes to it first.
 */
export function nameTask(context: RunContext, task: Task, hosts: readonly HostRun[], surroundings: Surroundings): void {
  const { nameTemplate, noLog } = task;
  const { play, progress, turn } = surroundings;
  const key = keyOf(task, turn);
  if (!nameTemplate || noLog || (!isInStep(play) && context.names.has(key))) return;
  context.names.delete(key);
  const written = refOf(context, task, turn);
  const seenBy = isInStep(play) ? hosts : progress.hosts;
  const [name, ...others] = new Set(
    seenBy.map((host) => nameOn(nameTemplate, context.scopeOf(host, surroundings, task))),
  );
  context.names.set(key, name === undefined || others.length > 0 ? written : { ...written, name });
}

function nameOn(template: Value, scope: Scope): string | undefined {
  try {
    const name = template.render(scope);
    return typeof name === 'object' ? undefined : String(name);
  } catch {
    return undefined;
  }
}

function keyOf(task: Task, turn: Turn | undefined): string {
  return `${task.id} ${turn?.key ?? ''}`;
}

import type { Clock } from '../base/clock.ts';
import type { EventBus, TaskRef } from '../base/events.ts';
import { formatRange } from '../base/source.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { Play, Task } from '../language/playbook.ts';
import type { Scope } from '../language/value.ts';
import type { Validator } from '../module/arguments.ts';
import type { Connections } from './connections.ts';
import type { FileStore } from './controller.ts';
import type { FactReaders } from './facts-readers.ts';
import type { HostRun } from './host-run.ts';
import type { TaskEnd } from './judgement.ts';
import type { RunRequest } from './request.ts';

/** What a `run_once` task did, and on which host. */
export interface OnceResult extends TaskEnd {
  readonly host: string;
}

/** What every part of a run shares. */
export interface RunContext {
  readonly request: RunRequest;
  readonly runId: string;
  /** The bus on which secrets are masked already. */
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly inventory: Inventory;
  readonly store: FileStore;
  readonly connections: Connections;
  readonly validator: Validator;
  /** Every host of the inventory, and those that tasks are delegated to. */
  readonly hosts: Map<string, HostRun>;
  readonly factReaders: FactReaders;
  /** Runs a job when one of the run's forks is free. */
  readonly limit: <T>(job: () => Promise<T>) => Promise<T>;
  /** The variables as a task on a host sees them; `extra` lies over all of them (a loop's `item`). */
  readonly scopeOf: (host: HostRun, play: Play, task?: Task, extra?: Readonly<Record<string, unknown>>) => Scope;
  /** Whether `--tags` and `--skip-tags` leave a task in. */
  readonly isSelected: (task: Task) => boolean;
  /** `run_once` results by task id. */
  readonly onceResults: Map<string, OnceResult>;
}

/** A task as events name it. */
export function refOf(task: Task): TaskRef {
  return { id: task.id, name: task.name, module: task.module.name, place: formatRange(task.range) };
}

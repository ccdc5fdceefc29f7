import { RunbookError } from '../../base/errors.ts';
import { UnknownValueError } from '../../base/unknown.ts';
import type { Facts } from '../../language/facts-schema.ts';
import type { Task } from '../../language/playbook.ts';
import type { HostRun } from '../host-run.ts';
import type { FactNames } from './readers.ts';

/** A host's facts in the course of a run: what was gathered, and what of it holds no more. */
export interface HostFacts {
  /** Takes what was gathered just now. */
  accept(facts: Facts): void;
  /** A task changed the host in a way that may have changed these facts: the next task that reads one gathers anew. */
  invalidate(names: readonly string[], task: string): void;
  /** Check mode: a task that was not run may have changed these facts. For the rest of the run they are unknown. */
  predictUnknown(names: readonly string[], task: string): void;
  /** Whether the host has to be asked before something reads these facts. */
  lacks(names: FactNames): boolean;
}

/** The facts of a host of which none are known. They are kept as `facts` in `data`, its variables. */
export function createHostFacts(data: Record<string, unknown>): HostFacts {
  let gathered: Facts | undefined;
  const stale = new Map<string, string>();
  const unknown = new Map<string, string>();
  const publish = (): void => {
    if (gathered) data.facts = visibleFacts(gathered, stale, unknown);
  };
  return {
    accept(facts) {
      gathered = facts;
      stale.clear();
      publish();
    },
    invalidate(names, task) {
      for (const name of names) stale.set(name, task);
      publish();
    },
    predictUnknown(names, task) {
      for (const name of names) if (!unknown.has(name)) unknown.set(name, task);
      publish();
    },
    lacks: (names) => gathered === undefined || [...stale.keys()].some((name) => names.has(name) || names.has('*')),
  };
}

/** After a task that changed its host: what its module says of facts holds no more. Check mode knows only that it would not. */
export function distrustFacts(host: HostRun, { module, name }: Task, isCheckMode: boolean): void {
  if (module.kind !== 'resource' || !module.invalidates) return;
  if (isCheckMode) host.facts.predictUnknown(module.invalidates, name);
  else host.facts.invalidate(module.invalidates, name);
}

/** A copy in which a fact that holds no more can be seen to exist but not be read. */
function visibleFacts(
  facts: Facts,
  stale: ReadonlyMap<string, string>,
  unknown: ReadonlyMap<string, string>,
): Record<string, unknown> {
  const visible: Record<string, unknown> = { ...facts };
  const hide = (name: string, raise: () => Error): void => {
    const get = (): never => {
      throw raise();
    };
    if (name in visible) Object.defineProperty(visible, name, { enumerable: true, configurable: true, get });
  };
  for (const [name, task] of stale) hide(name, () => outOfDate(name, task));
  for (const [name, task] of unknown) {
    hide(name, () => new UnknownValueError(`facts.${name} may be another once "${task}" has been run`));
  }
  return visible;
}

/** Only for readers that cannot be seen before the run, as a template file whose name is a template. */
function outOfDate(name: string, task: string): RunbookError {
  return new RunbookError('task-failed', `facts.${name} is out of date: "${task}" has changed the host since`, {
    hint: `name facts.${name} in the task itself, in its vars for instance: then it is gathered anew before the task`,
  });
}

import type { Schema } from '../../module/schema.ts';
import { loopNames } from '../load/loop-control.ts';
import type { Task } from '../playbook.ts';
import { closedMap, type Shape, shapeOf } from './shape.ts';

const flags: Readonly<Record<string, Schema>> = {
  changed: { type: 'boolean' },
  failed: { type: 'boolean' },
  skipped: { type: 'boolean' },
  unreachable: { type: 'boolean' },
  message: { type: 'string' },
  task: { type: 'string' },
};

/** What `register` gives of a task: what every result has, and what the module says that it returns. */
export function resultShape(task: Task): Schema {
  const one = resultOfOne(task);
  if (!task.loop) return one;
  const names = loopNames(task.loopControl);
  const items = { ...one, properties: { ...one.properties, ...Object.fromEntries(names.map((name) => [name, {}])) } };
  return closedMap({ ...flags, results: { type: 'array', items } });
}

/** What one turn of a loop gives, or a task without one. */
export function resultOfOne({ module }: Task): Schema {
  const { returns } = module;
  const properties = { ...flags, ...returns };
  return returns ? closedMap(properties) : { type: 'object', properties };
}

/** The variables that a task sets on its host, besides `register`. */
export function factsSetBy(task: Task): ReadonlyMap<string, Shape> {
  const { module, args } = task;
  if (module.kind !== 'action' || !module.sets) return new Map();
  const written = args.written as Readonly<Record<string, unknown>>;
  // In a loop, and behind a condition, another task's value may stand.
  return new Map(module.sets(written).map((name) => [name, task.loop ? undefined : shapeOf(written[name])]));
}

import type { Node, Play, Task } from './playbook.ts';
import { stepsOf } from './references.ts';

/** Every task of some nodes at any depth, leases and all files of includes among them, in the order in which they are written. */
export function* tasksIn(nodes: readonly Node[]): Generator<Task> {
  for (const node of stepsOf(nodes)) {
    if (node.kind === 'task') yield node;
    else if (node.kind === 'block' && node.lease) yield node.lease.task;
  }
}

/** All that a play may run on its hosts: its tasks, those of its health gate, its handlers. */
export function nodesOf({ tasks, bake, handlers }: Play): readonly Node[] {
  return [...tasks, ...(bake?.tasks ?? []), ...handlers];
}

/** The names that loops give their items and numbers. */
export function* loopNamesIn(nodes: readonly Node[]): Generator<string> {
  for (const node of stepsOf(nodes)) {
    if ((node.kind !== 'task' && node.kind !== 'include') || !node.loop) continue;
    yield node.loopControl.variable;
    if (node.loopControl.indexVariable !== undefined) yield node.loopControl.indexVariable;
  }
}

/** Whether tasks of a play may add hosts and groups to the inventory. */
export function growsInventory(play: Play): boolean {
  const tasks = [...tasksIn(nodesOf(play))];
  return tasks.some(({ module }) => module.kind === 'action' && module.growsInventory === true);
}

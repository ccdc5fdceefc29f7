import type { Node, Task } from '../../language/playbook.ts';
import type { Turn } from '../surroundings.ts';

/** Where a run is in its play: a list of nodes, the one that is run now, and what comes after the list. */
export interface Coming {
  readonly nodes: readonly Node[];
  /** -1 before the first one. */
  readonly at: number;
  readonly turn: Turn | undefined;
  readonly then: Coming | undefined;
}

/** A task that is to come, in a turn of the include around it. */
export interface ComingTask {
  readonly task: Task;
  readonly turn: Turn | undefined;
  /** The first turn of its loop that is still to come. */
  readonly fromItem: number;
}

/** The tasks that follow unless something fails, in order; those of files that are still to be chosen are passed over. */
export function* tasksAfter(coming: Coming | undefined): Generator<ComingTask> {
  for (let here = coming; here; here = here.then) {
    for (const task of tasksOf(here.nodes.slice(here.at + 1))) yield { task, turn: here.turn, fromItem: 0 };
  }
}

/** What follows a turn of a task: the other turns of its loop, then the tasks after it. */
export function* turnsAfter(task: Task, turn: Turn | undefined, item: string, coming: Coming | undefined) {
  if (task.loop) yield { task, turn, fromItem: Number(item) + 1 };
  yield* tasksAfter(coming);
}

/** The tasks of nodes, in order. What only a failure brings about is not among them. */
export function* tasksOf(nodes: readonly Node[]): Generator<Task> {
  for (const node of nodes) {
    if (node.kind === 'task') yield node;
    else if (node.kind === 'block') yield* tasksOf([...node.body, ...node.always]);
  }
}

import type { Include, Node, Task } from '../../language/playbook.ts';
import type { Inclusion } from '../inclusion.ts';
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

/** Chooses what a host includes, as things are now and as far as it can be told yet. */
export type OpenInclude = (include: Include, turn: Turn | undefined) => Iterable<Inclusion>;

/** The tasks that follow unless something fails, in order. */
export function* tasksAfter(coming: Coming | undefined, open: OpenInclude): Generator<ComingTask> {
  for (let here = coming; here; here = here.then) yield* tasksOf(here.nodes.slice(here.at + 1), here.turn, open);
}

/** What follows a turn of a task: the other turns of its loop, then the tasks after it. */
export function* turnsAfter(
  { task, turn, item }: { readonly task: Task; readonly turn: Turn | undefined; readonly item: string },
  coming: Coming | undefined,
  open: OpenInclude,
): Generator<ComingTask> {
  if (task.loop) yield { task, turn, fromItem: Number(item) + 1 };
  yield* tasksAfter(coming, open);
}

/** The tasks of nodes, in order. What only a failure brings about is not among them. */
function* tasksOf(nodes: readonly Node[], turn: Turn | undefined, open: OpenInclude): Generator<ComingTask> {
  for (const node of nodes) {
    if (node.kind === 'task') yield { task: node, turn, fromItem: 0 };
    else if (node.kind === 'block') yield* tasksOf([...node.body, ...node.always], turn, open);
    else if (node.kind === 'include')
      for (const { key, variables, nodes: included } of open(node, turn))
        yield* tasksOf(included, { key, variables }, open);
  }
}

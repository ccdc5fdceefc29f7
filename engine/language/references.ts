import type { Block, Node, Play, Task } from './playbook.ts';
import type { Expression, Reference, Value } from './value.ts';

/** Facts are gathered where the playbook reads them; what template files and inventories read is not looked at. */
export const factsHint = 'set gather_facts: true in the play';

/** Every name that a play reads: in its variables, tasks and handlers. */
export function* referencesOf(play: Pick<Play, 'vars' | 'tasks' | 'handlers'>): Generator<Reference> {
  for (const value of play.vars.values()) yield* value.references;
  for (const node of [...play.tasks, ...play.handlers]) yield* referencesOfNode(node);
}

/** Whether a play reads facts, its own hosts' or others'. */
export function readsFacts(play: Pick<Play, 'vars' | 'tasks' | 'handlers'>): boolean {
  for (const { path } of referencesOf(play)) {
    if (path[0] === 'facts' || (path[0] === 'hostvars' && path.includes('facts'))) return true;
  }
  return false;
}

function* referencesOfNode(node: Node): Generator<Reference> {
  if (node.kind === 'task') yield* referencesOfTask(node);
  else if (node.kind === 'block') yield* referencesOfBlock(node);
}

function* referencesOfBlock(block: Block): Generator<Reference> {
  if (block.lease) yield* referencesOfTask(block.lease.task);
  for (const node of [...block.body, ...block.rescue, ...block.always]) yield* referencesOfNode(node);
}

function* referencesOfTask(task: Task): Generator<Reference> {
  const parts: readonly (Value | Expression | undefined)[] = [
    task.args,
    task.nameTemplate,
    task.loop,
    task.become,
    task.becomeUser,
    task.delegateTo,
    task.ignoreErrors,
    ...task.when,
    ...task.until,
    ...(task.changedWhen ?? []),
    ...(task.failedWhen ?? []),
    ...task.environment,
    ...task.vars.flatMap((layer) => [...layer.values()]),
  ];
  for (const part of parts) yield* part?.references ?? [];
}

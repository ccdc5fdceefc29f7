import type { Block, Node, Task } from './playbook.ts';
import type { Expression, Reference, Value, Variables } from './value.ts';

/** Facts are gathered before a task that reads them; a template file whose name is computed is not looked at before. */
export const factsHint = 'set gather_facts: true in the play';

/** Nodes with all that is inside them, in order: what a block holds and what an include may bring. */
export function* stepsOf(nodes: readonly Node[]): Generator<Node> {
  for (const node of nodes) {
    yield node;
    if (node.kind === 'block') yield* stepsOf([...node.body, ...node.rescue, ...node.always]);
    if (node.kind === 'include') for (const file of node.files.values()) yield* stepsOf(file);
  }
}

/** The names that a node reads itself: not in its variables, and not in the nodes inside it. */
export function* referencesOfStep(node: Node): Generator<Reference> {
  for (const part of partsOf(node)) yield* part?.references ?? [];
}

/** The layers of variables that a node brings along. Those of a lease and of a role's inputs count as the block's. */
export function* variablesOfStep(node: Node): Generator<Variables> {
  if (node.kind !== 'block') yield* [...node.defaults, ...node.vars];
  else {
    if (node.lease) yield* variablesOfStep(node.lease.task);
    if (node.role) yield* [...node.role.defaults, ...node.role.vars];
  }
}

function partsOf(node: Node): readonly (Value | Expression | undefined)[] {
  switch (node.kind) {
    case 'task':
      return partsOfTask(node);
    case 'block':
      return [...(node.lease ? partsOfTask(node.lease.task) : []), ...partsOfRole(node)];
    case 'include':
      return [node.file, node.loop, node.loopControl.label, ...node.when];
    case 'meta':
      return node.when;
  }
}

function partsOfTask(task: Task): readonly (Value | Expression | undefined)[] {
  return [
    task.args,
    task.nameTemplate,
    task.loop,
    task.loopControl.label,
    task.become,
    task.becomeUser,
    task.delegateTo,
    task.ignoreErrors,
    ...task.when,
    ...task.until,
    ...(task.changedWhen ?? []),
    ...(task.failedWhen ?? []),
    ...task.environment,
  ];
}

/** A role's conditions are asked, and its inputs are rendered, when it begins. */
function partsOfRole({ role }: Block): (Value | Expression)[] {
  const layers = role ? [...role.defaults, ...role.vars] : [];
  const inputs = (role?.inputs ?? []).flatMap(({ name }) => layers.flatMap((layer) => layer.get(name) ?? []));
  return [...(role?.when ?? []), ...inputs];
}

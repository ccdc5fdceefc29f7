import type { Node, Task } from '../language/playbook.ts';

/** Whether `--tags` and `--skip-tags` leave a task in: skipping wins; `always` and `never` are as in Ansible. */
export function isSelected(task: Task, tags: readonly string[], skipTags: readonly string[]): boolean {
  const has = (names: readonly string[]): boolean => names.some((name) => task.tags.includes(name));
  if (has(skipTags)) return false;
  if (tags.length === 0 || tags.includes('all')) return !task.tags.includes('never') || has(tags);
  return has(tags) || (task.tags.includes('always') && !skipTags.includes('always'));
}

/** Every task of some nodes at any depth, in the order in which they are written. */
export function* tasksOf(nodes: readonly Node[]): Generator<Task> {
  for (const node of nodes) {
    if (node.kind === 'task') yield node;
    else if (node.kind === 'block') {
      if (node.lease) yield node.lease.task;
      yield* tasksOf(node.body);
      yield* tasksOf(node.rescue);
      yield* tasksOf(node.always);
    }
  }
}

/** The nodes that `--tags` and `--skip-tags` leave; a block of which nothing is left to run is dropped with its lease. */
export function selectNodes(nodes: readonly Node[], isIn: (task: Task) => boolean): Node[] {
  return nodes.flatMap((node): Node[] => {
    if (node.kind === 'task') return isIn(node) ? [node] : [];
    if (node.kind !== 'block') return [node];
    const select = (part: readonly Node[]): Node[] => selectNodes(part, isIn);
    const body = select(node.body);
    const always = select(node.always);
    return body.length + always.length > 0 ? [{ ...node, body, rescue: select(node.rescue), always }] : [];
  });
}

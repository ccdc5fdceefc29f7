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
    else {
      if (node.lease) yield node.lease.task;
      yield* tasksOf(node.body);
      yield* tasksOf(node.rescue);
      yield* tasksOf(node.always);
    }
  }
}

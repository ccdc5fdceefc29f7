import type { Meta, Node, Task } from '../language/playbook.ts';

/**
 * Whether `--tags` and `--skip-tags` leave a task in, by Ansible's rules: skipping wins; `always` wins over `never`; `all`,
 * `tagged` and `untagged` mean what they say.
 */
export function isSelected(
  { tags: own }: { readonly tags: readonly string[] },
  tags: readonly string[],
  skipTags: readonly string[],
): boolean {
  const isTagged = own.length > 0;
  const names = isTagged ? own : ['untagged'];
  const isNamed = (chosen: readonly string[]): boolean => chosen.some((name) => names.includes(name));
  const isAlways = own.includes('always');
  if (isNamed(skipTags) || (isTagged && skipTags.includes('tagged'))) return false;
  if (skipTags.includes('all') && !isAlways) return false;
  if (isAlways || isNamed(tags)) return true;
  if (own.includes('never')) return false;
  return tags.length === 0 || tags.includes('all') || (isTagged && tags.includes('tagged'));
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
    } else if (node.kind === 'include') {
      for (const inside of node.files.values()) yield* tasksOf(inside);
    }
  }
}

/**
 * The nodes that `--tags` and `--skip-tags` leave; a block or an include of which nothing is left to run is dropped, a
 * block with its lease.
 */
export function selectNodes(
  nodes: readonly Node[],
  isIn: (tagged: { readonly tags: readonly string[] }) => boolean,
): Node[] {
  const select = (part: readonly Node[]): Node[] => selectNodes(part, isIn);
  return nodes.flatMap((node): Node[] => {
    switch (node.kind) {
      case 'task':
        return isIn(node) ? [node] : [];
      case 'meta':
        return isIn(node) || isPlainFlush(node) ? [node] : [];
      case 'include': {
        const files = new Map([...node.files].map(([name, inside]) => [name, select(inside)]));
        return [...files.values()].some((inside) => inside.length > 0) ? [{ ...node, files }] : [];
      }
      case 'block': {
        const body = select(node.body);
        const always = select(node.always);
        return body.length + always.length > 0 ? [{ ...node, body, rescue: select(node.rescue), always }] : [];
      }
    }
  });
}

/** What was notified by chosen tasks is chosen with them. */
function isPlainFlush({ action, tags }: Meta): boolean {
  return action === 'flush_handlers' && tags.length === 0;
}

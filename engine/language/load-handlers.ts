import { didYouMean } from '../base/diagnostic.ts';
import { type LoadContext, report } from './load-context.ts';
import { loadNodes } from './load-tasks.ts';
import type { Task } from './playbook.ts';
import type { Surroundings } from './surroundings.ts';
import type { YamlNode } from './yaml.ts';

/** Loads a list of handlers, whose names differ. `idOf` names the n-th. */
export function loadHandlers(
  context: LoadContext,
  list: YamlNode,
  outer: Surroundings,
  idOf: (position: number) => string,
): Task[] {
  const handlers = new Map<string, Task>();
  const inside: Surroundings = { ...outer, within: { ...outer.within, isHandlers: true } };
  for (const node of loadNodes(context, list, inside, idOf)) {
    if (node.kind !== 'task') {
      const what = node.kind === 'include' ? 'an include' : node.kind === 'meta' ? 'meta' : 'a block';
      report(context, node.range, `${what} cannot be a handler`, 'write its tasks as handlers, and notify each');
    } else if (node.nameTemplate) {
      report(context, node.nameTemplate.range, "a handler's name must be written out: tasks notify it by this name");
    } else if (handlers.has(node.name)) {
      report(context, node.range, `there are two handlers "${node.name}"`);
    } else handlers.set(node.name, node);
  }
  return [...handlers.values()];
}

/** Checks that every name that is notified is one of a handler, or a topic that a handler listens to. */
export function resolveNotifications(context: LoadContext, handlers: readonly Task[]): void {
  const names = new Set(handlers.flatMap((handler) => [handler.name, ...handler.listen]));
  for (const { name, range } of context.found.notifications) {
    if (names.has(name)) continue;
    const known = names.size > 0 ? `the handlers are: ${[...names].join(', ')}` : 'this play has no handlers';
    report(context, range, `there is no handler "${name}"`, didYouMean(name, names) ?? known);
  }
}

import { didYouMean } from '../../base/diagnostic.ts';
import type { Range } from '../../base/source.ts';
import type { Task } from '../playbook.ts';
import type { YamlNode } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import type { RoleFolder } from './role-folders.ts';
import type { Surroundings } from './surroundings.ts';
import { loadNodes } from './tasks.ts';

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

const between = ' : ';

/** The name of a role's handler: other roles and the play may have one that is called the same in them. */
export function nameInRole(role: string, name: string): string {
  return `${role}${between}${name}`;
}

/**
 * Makes what tasks notify the names and topics of handlers. A name means the handler of the task's own role, else that of
 * the play, else that of the one role that has it. Notes what no handler answers to.
 */
export function resolveNotifications(context: LoadContext, own: readonly Task[], ofRoles: readonly Task[]): void {
  const topics = new Set([...own, ...ofRoles].flatMap((handler) => handler.listen));
  const known: Known = {
    names: new Set([...own, ...ofRoles].map((handler) => handler.name)),
    topics,
    inRoles: byNameInRole(ofRoles),
  };
  for (const { names, written, role } of context.found.notifications) {
    names.splice(0, names.length, ...written.flatMap(({ text, range }) => resolve(context, text, range, role, known)));
  }
}

interface Known {
  readonly names: ReadonlySet<string>;
  readonly topics: ReadonlySet<string>;
  /** Handlers of roles, by their names in the role. */
  readonly inRoles: ReadonlyMap<string, readonly Task[]>;
}

function byNameInRole(handlers: readonly Task[]): Map<string, readonly Task[]> {
  const byName = new Map<string, readonly Task[]>();
  for (const handler of handlers) {
    const name = handler.name.slice(handler.name.indexOf(between) + between.length);
    byName.set(name, [...(byName.get(name) ?? []), handler]);
  }
  return byName;
}

function resolve(
  context: LoadContext,
  name: string,
  range: Range,
  role: RoleFolder | undefined,
  known: Known,
): readonly string[] {
  const topic = known.topics.has(name) ? [name] : [];
  const inOwnRole = role && nameInRole(role.name, name);
  if (inOwnRole !== undefined && known.names.has(inOwnRole)) return [inOwnRole, ...topic];
  if (known.names.has(name)) return [name];
  const [first, second] = known.inRoles.get(name) ?? [];
  if (first && !second) return [first.name, ...topic];
  if (topic.length > 0) return topic;
  const all = [...known.names, ...known.topics];
  if (first && second) {
    report(context, range, `several roles have a handler "${name}"`, `write "${first.name}" or "${second.name}"`);
  } else {
    const hint = all.length > 0 ? `the handlers are: ${all.join(', ')}` : 'this play has no handlers';
    report(context, range, `there is no handler "${name}"`, didYouMean(name, all) ?? hint);
  }
  return [];
}

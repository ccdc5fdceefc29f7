import { basename } from 'node:path';
import { didYouMean } from '../../base/diagnostic.ts';
import type { Range } from '../../base/source.ts';
import { keywordsOf } from '../keywords.ts';
import type { Block, Node } from '../playbook.ts';
import type { Variables } from '../value.ts';
import { describeNode, entryOf, type YamlEntry, type YamlMap, type YamlNode } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import { isNothing, readText } from './fields.ts';
import { loadHandlers, nameInRole } from './handlers.ts';
import { checkGiven } from './inputs.ts';
import { fileOfRole, partOfRole, type RoleContent, readRoleContent } from './role-content.ts';
import { findRole, type RoleFolder, roleParents } from './role-folders.ts';
import { type Surroundings, surround } from './surroundings.ts';
import { nameOf } from './task.ts';
import { loadTaskFile } from './tasks.ts';
import { checkKeywords, reportUnknown } from './unknown-keys.ts';

/** Loads the list under `roles:` of a play or `dependencies:` of a role. `idOf` names the n-th. */
export function loadRoles(
  context: LoadContext,
  { key, value }: YamlEntry,
  outer: Surroundings,
  idOf: (position: number) => string,
): Block[] {
  if (isNothing(value)) return [];
  if (value.kind !== 'list') {
    report(context, value.range, `${key} must be a list, not ${describeNode(value)}`, 'start every role with "- "');
    return [];
  }
  return value.items.flatMap((item, i) => loadListed(context, item, outer, idOf(i + 1)) ?? []);
}

/** A role by its name, or a map with `role`. */
function loadListed(context: LoadContext, node: YamlNode, outer: Surroundings, id: string): Block | undefined {
  if (node.kind !== 'map') {
    const entry: YamlEntry = { key: 'a role', keyRange: node.range, value: node };
    const use: YamlMap = { kind: 'map', entries: [], range: node.range };
    return loadRole(context, use, entry, outer, id);
  }
  const known = [...keywordsOf('role')];
  for (const entry of node.entries) {
    if (known.includes(entry.key)) continue;
    if (didYouMean(entry.key, known) !== undefined) reportUnknown(context, entry, known, 'the use of a role');
    else report(context, entry.keyRange, `"${entry.key}" is no keyword`, 'what a role is given stands under "vars:"');
  }
  const entry = entryOf(node, 'role');
  if (entry) return loadRole(context, node, entry, outer, id);
  report(context, node.entries[0]?.keyRange ?? node.range, 'a role needs its name', 'write "- role: NAME"');
  return undefined;
}

/** Loads `import_role` among tasks. */
export function importRole(
  context: LoadContext,
  map: YamlMap,
  entry: YamlEntry,
  outer: Surroundings,
  id: string,
): Block | undefined {
  checkKeywords(context, map, 'import_role', 'the import of a role');
  if (entry.value.kind === 'map') {
    const parts = entry.value.entries.map(({ key }) => key);
    const hint = parts.every((key) => key === 'name')
      ? 'write "import_role: NAME"'
      : 'write "import_role: NAME"; one file of a role is imported by import_tasks';
    report(context, entry.value.range, 'import_role must be the name of a role, not a map', hint);
    return undefined;
  }
  return loadRole(context, map, entry, outer, id);
}

/** Loads one use of a role: `use` holds its keywords, `entry` its name. */
function loadRole(
  context: LoadContext,
  use: YamlMap,
  entry: YamlEntry,
  outer: Surroundings,
  id: string,
): Block | undefined {
  const around = surround(context, use, outer);
  const name = readText(context, entry);
  const role = name === undefined ? undefined : lookUp(context, name, entry.value.range, outer);
  if (!role) return undefined;
  const content = readRoleContent(context, role, entry.value);
  const given = around.vars.slice(outer.vars.length);
  checkUse(context, role, content, given);
  const inner: Surroundings = {
    ...around,
    defaults: [...outer.defaults, ...(content.declared ? [content.declared.defaults] : []), content.defaults],
    vars: [...outer.vars, content.vars, ...given],
    within: { ...outer.within, roles: [...outer.within.roles, role] },
  };
  const body = loadBody(context, role, entry.value, inner, id);
  loadRoleHandlers(context, role, entry.value, inner);
  const { when, defaults, vars } = inner;
  const inputs = content.declared?.inputs ?? [];
  return {
    kind: 'block',
    id,
    name: nameOf(context, use, role.name).name,
    range: use.range,
    body,
    rescue: [],
    always: [],
    role: { name: role.name, range: entry.value.range, when, inputs, defaults, vars },
  };
}

/** A role that declares its inputs is given these and its own variables, and nothing else. */
function checkUse(context: LoadContext, role: RoleFolder, content: RoleContent, given: readonly Variables[]): void {
  const { declared, defaults, vars } = content;
  if (!declared) return;
  const others = [...defaults.keys(), ...vars.keys()];
  for (const layer of given) checkGiven(context, declared, layer, others, `the role "${role.name}"`);
}

const folderHint = 'a role is a folder with tasks/main.yaml in it';

/** The role of this name. Notes that there is none, and which there are, or that it is used inside itself. */
function lookUp(context: LoadContext, name: string, range: Range, { within }: Surroundings): RoleFolder | undefined {
  const { look, playbook } = context.sources;
  const namedIn = [range.source.path, within.files[0] ?? playbook, playbook];
  const role = findRole(look, name, namedIn);
  if (!role) {
    const parents = roleParents(namedIn);
    const known = parents.flatMap((folder) => look(folder).flatMap((n) => (n.endsWith('/') ? [n.slice(0, -1)] : [])));
    const hint = didYouMean(name, known) ?? (known.length > 0 ? `the roles are ${known.join(', ')}` : folderHint);
    const message = `there is no role "${name}"; looked in ${parents.join(', ')}`;
    report(context, range, message, name.includes('.') ? 'roles of collections are not supported' : hint);
    return undefined;
  }
  const start = within.roles.findIndex(({ folder }) => folder === role.folder);
  if (start === -1) return role;
  const chain = [...within.roles.slice(start), role].map((r) => r.name).join(' → ');
  report(context, range, `the role "${name}" never ends: ${chain}`);
  return undefined;
}

/** What the role depends on, then its tasks. */
function loadBody(context: LoadContext, role: RoleFolder, namedBy: YamlNode, inner: Surroundings, id: string): Node[] {
  const meta = fileOfRole(context, role, 'meta', namedBy)?.root;
  const dependencies = meta?.kind === 'map' ? entryOf(meta, 'dependencies') : undefined;
  const before = dependencies ? loadRoles(context, dependencies, inner, (n) => `${id}.needs.${n}`) : [];
  const path = partOfRole(context, role, 'tasks', namedBy);
  return [...before, ...(path === undefined ? [] : loadTaskFile(context, path, namedBy, inner, `${id}.body`))];
}

/** A role's handlers are there once, however often the role is used: with the variables of its first use. */
function loadRoleHandlers(context: LoadContext, role: RoleFolder, namedBy: YamlNode, inner: Surroundings): void {
  const { roleHandlers } = context.found;
  if (roleHandlers.has(role.folder)) return;
  if ([...roleHandlers.keys()].some((folder) => basename(folder) === role.name)) {
    const message = `this play uses another role "${role.name}", so that nobody can tell their handlers apart`;
    report(context, namedBy.range, message, 'rename one of the two');
  }
  // Whoever notifies them has met the conditions already.
  const root = fileOfRole(context, role, 'handlers', namedBy)?.root;
  const idOf = (n: number): string => `${inner.within.play}/handlers/${role.name}/${n}`;
  const handlers = root ? loadHandlers(context, root, { ...inner, when: [] }, idOf) : [];
  roleHandlers.set(
    role.folder,
    handlers.map((handler) => ({ ...handler, name: nameInRole(role.name, handler.name) })),
  );
}

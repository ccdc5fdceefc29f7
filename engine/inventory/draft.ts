import type { Range } from '../base/source.ts';
import type { Value } from '../language/value.ts';

/** What sources say of a group or a host. */
interface DraftVariables {
  readonly variables: Map<string, Value>;
  /** What was said before the value that counts, oldest first; absent as long as nothing was said twice. */
  hidden?: Map<string, Value[]>;
}

/** A group while sources are read. */
export interface DraftGroup extends DraftVariables {
  readonly name: string;
  readonly hosts: Set<string>;
  readonly children: Set<string>;
  readonly parents: Set<string>;
  /** `ansible_group_priority`: among groups of the same depth, the higher one wins. */
  priority: number;
  /** Where it was first named; absent for `all` and `ungrouped`. */
  readonly range?: Range;
}

/** A host while sources are read. */
export interface DraftHost extends DraftVariables {
  readonly name: string;
  readonly groups: Set<string>;
  readonly range: Range;
}

/** An inventory that several sources write to, one after another; the later one wins. */
export interface Draft {
  readonly groups: Map<string, DraftGroup>;
  readonly hosts: Map<string, DraftHost>;
}

/** An inventory with nothing in it but the two groups that always exist. */
export function createDraft(): Draft {
  const draft: Draft = { groups: new Map(), hosts: new Map() };
  ensureGroup(draft, 'all');
  ensureGroup(draft, 'ungrouped');
  addChild(draft, 'all', 'ungrouped');
  return draft;
}

/** The group of that name, made when there is none. */
export function ensureGroup(draft: Draft, name: string, range?: Range): DraftGroup {
  const known = draft.groups.get(name);
  if (known) return known;
  const group: DraftGroup = {
    name,
    hosts: new Set(),
    children: new Set(),
    parents: new Set(),
    variables: new Map(),
    priority: 1,
    ...(range && { range }),
  };
  draft.groups.set(name, group);
  return group;
}

/** Puts a host, made when there is none, into a group. */
export function addHost(draft: Draft, groupName: string, name: string, range: Range): DraftHost {
  let host = draft.hosts.get(name);
  if (!host) {
    host = { name, groups: new Set(), variables: new Map(), range };
    draft.hosts.set(name, host);
  }
  host.groups.add(groupName);
  ensureGroup(draft, groupName).hosts.add(name);
  return host;
}

/** Gives a group or a host a variable. What it had before has no effect, and can be shown. */
export function setVariable(owner: DraftVariables, name: string, value: Value): void {
  const before = owner.variables.get(name);
  if (before) {
    owner.hidden ??= new Map();
    const earlier = owner.hidden.get(name);
    if (earlier) earlier.push(before);
    else owner.hidden.set(name, [before]);
  }
  owner.variables.set(name, value);
}

/**
 * Makes a group a child of another. When the parent is in the child already, nothing is done and the way from the child
 * down to the parent is returned.
 */
export function addChild(draft: Draft, parentName: string, childName: string): readonly string[] | undefined {
  const loop = wayDown(draft, childName, parentName);
  if (loop) return loop;
  ensureGroup(draft, parentName).children.add(childName);
  ensureGroup(draft, childName).parents.add(parentName);
  return undefined;
}

function wayDown(draft: Draft, from: string, to: string): readonly string[] | undefined {
  // Searched upwards from `to`, since a group has few ancestors and may have many descendants.
  const next = new Map<string, string | undefined>([[to, undefined]]);
  for (const name of next.keys()) {
    if (name === from) return unwind(next, from);
    for (const parent of draft.groups.get(name)?.parents ?? []) if (!next.has(parent)) next.set(parent, name);
  }
  return undefined;
}

function unwind(next: ReadonlyMap<string, string | undefined>, from: string): readonly string[] {
  const way: string[] = [];
  for (let name: string | undefined = from; name !== undefined; name = next.get(name)) way.push(name);
  return way;
}

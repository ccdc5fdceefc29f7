import type { Value } from '../language/value.ts';
import { addChild, addHost, type Draft, type DraftGroup, type DraftHost } from './draft.ts';
import type { Group, Host, Inventory, VariableLayer } from './inventory.ts';
import type { FolderVariables } from './variable-files.ts';

/** The names by which a host pattern can mean this machine without an inventory. */
export const localhostNames: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** What variable files say, folder by folder; a folder that is both counts as the playbook's. */
export interface VariableFolders {
  /** Beside the inventories, in the order of `-i`. */
  readonly inventory: readonly FolderVariables[];
  readonly playbook?: FolderVariables;
}

/**
 * Makes an inventory of what the sources and the variable files say. Precedence is Ansible's, from low to high: what the
 * inventory says of `all`, then of the other groups; `group_vars` of `all` beside the inventories, then beside the playbook;
 * `group_vars` of the other groups beside the inventories, then beside the playbook; and the same three of the host. Groups
 * come by depth, then `ansible_group_priority`, then name.
 */
export function buildInventory(draft: Draft, folders: VariableFolders, local: Value): Inventory {
  settleUngrouped(draft);
  for (const group of draft.groups.values()) {
    if (group.name !== 'all' && group.parents.size === 0) addChild(draft, 'all', group.name);
  }
  const depths = measureDepths(draft);
  const own = new Map([...draft.groups.values()].map((group) => [group.name, ownLayer('group', group)]));
  const inOrder = [...folders.inventory, ...(folders.playbook ? [folders.playbook] : [])];
  const groups = new Map<string, Group>();
  for (const group of draft.groups.values()) {
    groups.set(group.name, {
      name: group.name,
      hosts: hostsBelow(draft, group),
      ownHosts: [...group.hosts],
      children: [...group.children],
      parents: [...group.parents],
      depth: depths.get(group.name) ?? 0,
      layers: [...(own.get(group.name) ?? []), ...inOrder.flatMap((folder) => folder.groups.get(group.name) ?? [])],
    });
  }
  const memberships = createMemberships(draft, groups, own, inOrder);
  const hosts = new Map<string, Host>();
  for (const host of draft.hosts.values()) {
    const { names, layers } = memberships(host);
    const files = inOrder.flatMap((folder) => folder.hosts.get(host.name) ?? []);
    const all = [...layers, ...ownLayer('host', host), ...files];
    hosts.set(host.name, { name: host.name, groups: names, layers: all, isImplicit: false });
  }
  return { hosts, groups, localhosts: localhostsOf(hosts, groups, inOrder, local) };
}

/** A host is in `ungrouped` if and only if it is in no other group but `all`. */
function settleUngrouped(draft: Draft): void {
  const ungrouped = draft.groups.get('ungrouped');
  for (const host of draft.hosts.values()) {
    const isGrouped = [...host.groups].some((name) => name !== 'all' && name !== 'ungrouped');
    if (!isGrouped) addHost(draft, 'ungrouped', host.name, host.range);
    else if (host.groups.delete('ungrouped')) ungrouped?.hosts.delete(host.name);
  }
}

/** The longest way from `all` to each group, by visiting a group once all its parents were (there are no loops). */
function measureDepths(draft: Draft): Map<string, number> {
  const depths = new Map<string, number>([['all', 0]]);
  const missing = new Map([...draft.groups.values()].map((group) => [group.name, group.parents.size]));
  for (const [name, depth] of depths) {
    for (const child of draft.groups.get(name)?.children ?? []) {
      const left = (missing.get(child) ?? 1) - 1;
      missing.set(child, left);
      // Parents are visited in the order of their depth, so that the last one is the deepest.
      if (left === 0) depths.set(child, depth + 1);
    }
  }
  return depths;
}

/** A group's own hosts, then those of its children, then of theirs. */
function hostsBelow(draft: Draft, group: DraftGroup): string[] {
  const below = new Set([group.name]);
  for (const name of below) for (const child of draft.groups.get(name)?.children ?? []) below.add(child);
  const hosts = new Set<string>();
  for (const name of below) for (const host of draft.groups.get(name)?.hosts ?? []) hosts.add(host);
  return [...hosts];
}

interface Membership {
  readonly names: readonly string[];
  readonly layers: readonly VariableLayer[];
}

/** Gives the groups of a host and their layers; hosts in the same groups share the answer. */
function createMemberships(
  draft: Draft,
  groups: ReadonlyMap<string, Group>,
  own: ReadonlyMap<string, readonly VariableLayer[]>,
  folders: readonly FolderVariables[],
): (host: DraftHost) => Membership {
  const known = new Map<string, Membership>();
  const priority = (group: Group): number => draft.groups.get(group.name)?.priority ?? 1;
  return (host) => {
    const key = [...host.groups].join('\n');
    const same = known.get(key);
    if (same) return same;
    const above = new Set(['all', ...host.groups]);
    for (const name of above) for (const parent of draft.groups.get(name)?.parents ?? []) above.add(parent);
    const ordered = [...above]
      .flatMap((name) => groups.get(name) ?? [])
      .sort((a, b) => a.depth - b.depth || priority(a) - priority(b) || compare(a.name, b.name));
    const layers = [
      ...ordered.flatMap(({ name }) => own.get(name) ?? []),
      ...folders.flatMap((folder) => folder.groups.get('all') ?? []),
      // Folder by folder: a folder of a later inventory wins, whatever the depth of the group.
      ...folders.flatMap((folder) => ordered.slice(1).flatMap(({ name }) => folder.groups.get(name) ?? [])),
    ];
    const membership = { names: [...above].sort(compare), layers };
    known.set(key, membership);
    return membership;
  };
}

function ownLayer(
  kind: 'group' | 'host',
  { name, variables, hidden }: DraftGroup | DraftHost,
): readonly VariableLayer[] {
  return variables.size === 0 ? [] : [{ origin: `${kind} ${name}`, variables, ...(hidden && { hidden }) }];
}

/** A localhost that is not in the inventory is reached without SSH, has the variables of `all`, and is in no group. */
function localhostsOf(
  hosts: ReadonlyMap<string, Host>,
  groups: ReadonlyMap<string, Group>,
  folders: readonly FolderVariables[],
  value: Value,
): ReadonlyMap<string, Host> {
  const named = [...hosts.values()].find(({ name }) => localhostNames.includes(name));
  const local = { origin: 'the implicit localhost', variables: new Map([['ansible_connection', value]]) };
  const localhosts = new Map<string, Host>();
  for (const name of localhostNames) {
    const own = folders.flatMap((folder) => folder.hosts.get(name) ?? []);
    const layers = [...(groups.get('all')?.layers ?? []), local, ...own];
    localhosts.set(name, named ?? { name, groups: ['all'], layers, isImplicit: true });
  }
  return localhosts;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

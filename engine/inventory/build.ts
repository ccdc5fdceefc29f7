import type { Value } from '../language/value.ts';
import { addChild, addHost, type Draft, type DraftGroup, type DraftHost } from './draft.ts';
import type { Group, Host, Inventory, VariableLayer } from './inventory.ts';
import type { LayersByName } from './variable-files.ts';

/** The names by which a host pattern can mean this machine without an inventory. */
export const localhostNames: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/**
 * Makes an inventory of what the sources and the variable files say. Precedence, from low to high: groups by depth, then
 * `ansible_group_priority`, then name; then the host. Within each: the inventory, then variable files in their order.
 */
export function buildInventory(
  draft: Draft,
  files: { readonly groups: LayersByName; readonly hosts: LayersByName; readonly local: Value },
): Inventory {
  settleUngrouped(draft);
  for (const group of draft.groups.values()) {
    if (group.name !== 'all' && group.parents.size === 0) addChild(draft, 'all', group.name);
  }
  const depths = measureDepths(draft);
  const groups = new Map<string, Group>();
  for (const group of draft.groups.values()) {
    groups.set(group.name, {
      name: group.name,
      hosts: hostsBelow(draft, group),
      ownHosts: [...group.hosts],
      children: [...group.children],
      parents: [...group.parents],
      depth: depths.get(group.name) ?? 0,
      layers: layersOf(`group ${group.name}`, group.variables, files.groups.get(group.name)),
    });
  }
  const memberships = createMemberships(draft, groups);
  const hosts = new Map<string, Host>();
  for (const host of draft.hosts.values()) {
    const { names, layers } = memberships(host);
    const own = layersOf(`host ${host.name}`, host.variables, files.hosts.get(host.name));
    hosts.set(host.name, { name: host.name, groups: names, layers: [...layers, ...own], isImplicit: false });
  }
  return { hosts, groups, localhosts: localhostsOf(hosts, groups, files) };
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
function createMemberships(draft: Draft, groups: ReadonlyMap<string, Group>): (host: DraftHost) => Membership {
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
    const membership = { names: [...above].sort(compare), layers: ordered.flatMap((group) => group.layers) };
    known.set(key, membership);
    return membership;
  };
}

function layersOf(
  origin: string,
  variables: ReadonlyMap<string, Value>,
  files: readonly VariableLayer[] = [],
): readonly VariableLayer[] {
  return variables.size === 0 ? files : [{ origin, variables }, ...files];
}

/** A localhost that is not in the inventory is reached without SSH, has the variables of `all`, and is in no group. */
function localhostsOf(
  hosts: ReadonlyMap<string, Host>,
  groups: ReadonlyMap<string, Group>,
  files: { readonly hosts: LayersByName; readonly local: Value },
): ReadonlyMap<string, Host> {
  const named = [...hosts.values()].find((host) => localhostNames.includes(host.name));
  const localhosts = new Map<string, Host>();
  for (const name of localhostNames) {
    const local = { origin: 'the implicit localhost', variables: new Map([['ansible_connection', files.local]]) };
    const layers = [...(groups.get('all')?.layers ?? []), local, ...(files.hosts.get(name) ?? [])];
    localhosts.set(name, named ?? { name, groups: ['all'], layers, isImplicit: true });
  }
  return localhosts;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

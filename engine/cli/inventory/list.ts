import { formatRange } from '../../base/source.ts';
import { variableNamesOf, winnerOf } from '../../inventory/explain.ts';
import type { Group, Host } from '../../inventory/inventory.ts';
import { count, nameSome } from '../../report/text.ts';
import { formatTable } from './table.ts';
import { showValue } from './value.ts';
import type { InventoryView } from './view.ts';

/** The variables of a host by name, as they are written: what `ansible-inventory --host` prints. */
export function hostVariables(view: InventoryView, host: Host): Record<string, unknown> {
  const { extraVars, veil } = view;
  // Layers are read once each: with winnerOf a name would cost a search.
  const written = new Map<string, unknown>();
  for (const { variables } of host.layers) for (const [name, value] of variables) written.set(name, value.written);
  for (const [name, data] of Object.entries(extraVars)) written.set(name, data);
  return Object.fromEntries([...written].sort(byName).map(([name, data]) => [name, veil(name, data)]));
}

/** The shape of `ansible-inventory --list`: each group with its own hosts and children, and all variables in `_meta`. */
export function sharedListing(view: InventoryView): Record<string, unknown> {
  const isShown = shownHosts(view);
  const hostvars = view.hosts.flatMap((host) => {
    const variables = hostVariables(view, host);
    return Object.keys(variables).length > 0 ? [[host.name, variables] as const] : [];
  });
  const groups = [...view.inventory.groups.values()].flatMap((group) => {
    const entry = withoutEmpty({ hosts: ownHosts(group).filter(isShown), children: group.children });
    return Object.keys(entry).length > 0 ? [[group.name, entry] as const] : [];
  });
  return Object.fromEntries([['_meta', { hostvars: Object.fromEntries(hostvars) }], ...groups]);
}

/**
 * The shape of `ansible-inventory --list --yaml`, which is an inventory: groups within groups, and the variables of a host
 * where it comes up first.
 */
export function nestedListing(view: InventoryView): Record<string, unknown> {
  const isShown = shownHosts(view);
  const seen = new Set<string>();
  const variablesOf = (name: string): Record<string, unknown> => {
    const host = view.inventory.hosts.get(name);
    if (!host || seen.has(name)) return {};
    seen.add(name);
    return hostVariables(view, host);
  };
  const nest = (name: string): Record<string, unknown> => {
    const group = view.inventory.groups.get(name);
    if (!group) return {};
    // Children first: a host's variables stand in the deepest group.
    const children = Object.fromEntries(group.children.map((child) => [child, nest(child)]));
    const hosts = ownHosts(group).filter(isShown);
    return withoutEmpty({ children, hosts: Object.fromEntries(hosts.map((host) => [host, variablesOf(host)])) });
  };
  return { all: nest('all') };
}

/** Hosts with their addresses and groups, for people. */
export function hostTable(view: InventoryView): string {
  const { hosts, inventory, paint } = view;
  const rows = hosts.map((host) => [
    paint.bold(host.name),
    addressOf(view, host),
    nameSome(host.groups.filter((group) => group !== 'all')),
  ]);
  const total = `${count(hosts.length, 'host')}${hosts.length === inventory.hosts.size ? '' : ` of ${inventory.hosts.size}`}`;
  const groups = [...inventory.groups.keys()].filter((name) => name !== 'all' && name !== 'ungrouped');
  return `${formatTable(rows)}${rows.length > 0 ? '\n' : ''}${total}, ${count(groups.length, 'group')}\n`;
}

/** The variables of a host with the place of each, for people. */
export function hostVariablesTable(view: InventoryView, host: Host): string {
  const { inventory, extraVars, veil, paint } = view;
  const rows = variableNamesOf(host, extraVars).flatMap((name) => {
    const winner = winnerOf(inventory, host, name, extraVars);
    if (!winner) return [];
    const place = winner.range ? formatRange(winner.range) : '';
    return [[paint.bold(name), showValue(veil(name, winner.written)), place, paint.dim(winner.layer)]];
  });
  const groups = host.groups.filter((group) => group !== 'all').join(', ');
  const title = `${paint.bold(host.name)}${groups === '' ? '' : ` in ${groups}`}`;
  return `${title}\n${rows.length > 0 ? formatTable(rows, 2) : '  no variables\n'}`;
}

/** Where a host is reached, as far as it is written: `admin@10.0.0.7:2222`; empty where its name says it all. */
function addressOf({ inventory, extraVars }: InventoryView, host: Host): string {
  const read = (name: string): string | undefined => {
    const written = winnerOf(inventory, host, name, extraVars)?.written;
    return typeof written === 'string' || typeof written === 'number' ? String(written) : undefined;
  };
  if (read('ansible_connection') === 'local') return 'local';
  const [user, port] = [read('ansible_user'), read('ansible_port')];
  const address = read('ansible_host') ?? host.name;
  const bracketed = port !== undefined && address.includes(':') ? `[${address}]` : address;
  const whole = `${user === undefined ? '' : `${user}@`}${bracketed}${port === undefined ? '' : `:${port}`}`;
  return whole === host.name ? '' : whole;
}

/** `all` has no hosts of its own: they are in its children. */
function ownHosts(group: Group): readonly string[] {
  return group.name === 'all' ? [] : group.ownHosts;
}

function shownHosts(view: InventoryView): (name: string) => boolean {
  const shown = new Set(view.hosts.map((host) => host.name));
  return (name) => shown.has(name);
}

function withoutEmpty(entry: Record<string, object>): Record<string, object> {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => Object.keys(value).length > 0));
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

import type { Group, Host, VariableLayer } from '../../inventory/inventory.ts';
import { visible } from '../../report/text.ts';
import { hostVariables } from './list.ts';
import { showValue } from './value.ts';
import type { InventoryView } from './view.ts';

/** The tree of groups and hosts below a group, in the form of `ansible-inventory --graph`. */
export function formatGraph(view: InventoryView, groupName: string, withVariables: boolean): string {
  const shown = new Set(view.hosts.map((host) => host.name));
  const lines: string[] = [];
  const add = (text: string, depth: number): void => {
    lines.push(depth === 0 ? text : `${'  |'.repeat(depth)}--${text}`);
  };
  const addVariables = (variables: Readonly<Record<string, unknown>>, depth: number): void => {
    if (!withVariables) return;
    for (const [name, data] of Object.entries(variables)) add(`{${name} = ${showValue(data)}}`, depth);
  };
  const addHost = (host: Host, depth: number): void => {
    add(host.name, depth);
    addVariables(hostVariables(view, host), depth + 1);
  };
  const addGroup = (group: Group, depth: number): void => {
    add(`@${group.name}:`, depth);
    for (const child of group.children) {
      const below = view.inventory.groups.get(child);
      if (below) addGroup(below, depth + 1);
    }
    for (const name of group.name === 'all' ? [] : group.ownHosts) {
      const host = view.inventory.hosts.get(name);
      if (host && shown.has(name)) addHost(host, depth + 1);
    }
    addVariables(groupVariables(view, group.layers), depth + 1);
  };
  const top = view.inventory.groups.get(groupName);
  if (top) addGroup(top, 0);
  return visible(`${lines.join('\n')}\n`);
}

function groupVariables({ veil }: InventoryView, layers: readonly VariableLayer[]): Record<string, unknown> {
  const written = new Map(layers.flatMap(({ variables }) => [...variables].map(([name, v]) => [name, v.written])));
  const names = [...written.keys()].sort();
  return Object.fromEntries(names.map((name) => [name, veil(name, written.get(name))]));
}

import type { Range } from '../base/source.ts';
import type { Value } from '../language/value.ts';
import type { Host, Inventory, VariableLayer } from './inventory.ts';

/** A value that a variable could have on a host, and where it comes from. */
export interface Candidate {
  /** For people: `-e`, `host web1`, `host_vars of web1`, `group web`, `group_vars of web`. */
  readonly layer: string;
  /** As it stands there; a template is its text. */
  readonly written: unknown;
  /** Absent for `-e`, which has no place. */
  readonly range?: Range;
  /** Absent for `-e`, which is plain data. */
  readonly value?: Value;
}

/** Every value that an inventory and `-e` give a variable on a host, the one that wins first. */
export function candidatesOf(
  inventory: Inventory,
  host: Host,
  name: string,
  extraVars: Readonly<Record<string, unknown>> = {},
): readonly Candidate[] {
  const inLayers = host.layers.flatMap((layer): Candidate[] => {
    const values = [...(layer.hidden?.get(name) ?? []), layer.variables.get(name)];
    return values.flatMap((value) => {
      if (!value) return [];
      return [{ layer: describeLayer(inventory, host, layer), written: value.written, range: value.range, value }];
    });
  });
  const extra = Object.hasOwn(extraVars, name) ? [{ layer: '-e', written: extraVars[name] }] : [];
  return [...inLayers, ...extra].reverse();
}

/** The winner alone, without the cost of describing the rest. */
export function winnerOf(
  inventory: Inventory,
  host: Host,
  name: string,
  extraVars: Readonly<Record<string, unknown>> = {},
): Candidate | undefined {
  if (Object.hasOwn(extraVars, name)) return { layer: '-e', written: extraVars[name] };
  const layer = host.layers.findLast(({ variables }) => variables.has(name));
  const value = layer?.variables.get(name);
  if (!layer || !value) return undefined;
  return { layer: describeLayer(inventory, host, layer), written: value.written, range: value.range, value };
}

/** The names of all variables of a host, sorted. */
export function variableNamesOf(host: Host, extraVars: Readonly<Record<string, unknown>> = {}): readonly string[] {
  const names = new Set(Object.keys(extraVars));
  for (const { variables } of host.layers) for (const name of variables.keys()) names.add(name);
  return [...names].sort();
}

function describeLayer(inventory: Inventory, host: Host, layer: VariableLayer): string {
  // Layers of groups are shared, so that a layer tells whose it is.
  const group = host.groups.find((name) => inventory.groups.get(name)?.layers.includes(layer));
  const owner = group === undefined ? `host ${host.name}` : `group ${group}`;
  if (layer.origin === owner) return owner;
  if (group === undefined && host.isImplicit) return layer.origin;
  return group === undefined ? `host_vars of ${host.name}` : `group_vars of ${group}`;
}

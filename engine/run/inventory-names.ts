import type { Host, VariableLayer } from '../inventory/inventory.ts';
import { commonShape, type Shape, shapeOf } from '../language/check/shape.ts';
import type { InventoryNames, InventoryVariable } from '../language/check/world.ts';
import type { Value } from '../language/value.ts';

/** Variables that the command line's connection options may set, whatever the inventory says. */
const optional: readonly string[] = ['ansible_user', 'ansible_become', 'ansible_become_user', 'ansible_timeout'];

/** Which variables the inventory gives to some hosts. Worked out once for all of them, from the layers that they share. */
export function inventoryNames(hosts: readonly Host[]): InventoryNames {
  const layers = new Map<VariableLayer, number>();
  for (const host of hosts) for (const layer of host.layers) layers.set(layer, (layers.get(layer) ?? 0) + 1);
  const values = new Map<string, Set<Value>>();
  const everywhere = new Set<string>(optional);
  for (const [{ variables }, count] of layers) {
    for (const [name, value] of variables) {
      const known = values.get(name);
      if (known) known.add(value);
      else values.set(name, new Set([value]));
      if (count === hosts.length) everywhere.add(name);
    }
  }
  const names = new Map<string, InventoryVariable>();
  for (const [name, found] of values) {
    const missingOn = everywhere.has(name) ? () => [] : once(() => hostsWithout(hosts, name));
    names.set(name, { values: [...found], shape: once(() => shapeOfAll(found)), missingOn });
  }
  for (const name of optional) {
    if (!names.has(name)) names.set(name, { values: [], shape: () => undefined, missingOn: () => [] });
  }
  return names;
}

function hostsWithout(hosts: readonly Host[], name: string): readonly string[] {
  const lacks = (host: Host): boolean => !host.layers.some(({ variables }) => variables.has(name));
  return hosts.filter(lacks).map((host) => host.name);
}

function shapeOfAll(values: Iterable<Value>): Shape {
  const [first, ...others] = [...values].map((value) => shapeOf(value.written));
  return others.reduce(commonShape, first);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

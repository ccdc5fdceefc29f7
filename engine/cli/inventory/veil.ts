import type { Masker } from '../../base/masker.ts';
import { hiddenText, Secret } from '../../base/secret.ts';
import { connectionNames } from '../../inventory/connection-names.ts';
import type { Inventory, VariableLayer } from '../../inventory/inventory.ts';

/** Gives the value of a variable as it may be shown: secrets and the passwords of connections are `********`. */
export type Veil = (name: string, data: unknown) => unknown;

/**
 * Makes a {@link Veil} that knows the secrets of an inventory and of `-e`, and finds them inside other texts, too. The
 * masker learns them, so that warnings which quote a line do not show them either.
 */
export function createVeil(inventory: Inventory, extraVars: Readonly<Record<string, unknown>>, masker: Masker): Veil {
  const learn = (name: string, data: unknown): void => {
    for (const secret of secretsIn(data)) masker.add(secret);
    if (passwordNames.has(name) && isPlainPassword(data)) masker.add(new Secret(String(data)));
  };
  for (const layer of layersOf(inventory)) {
    for (const [name, value] of layer.variables) learn(name, value.written);
    for (const [name, values] of layer.hidden ?? []) for (const value of values) learn(name, value.written);
  }
  for (const [name, data] of Object.entries(extraVars)) learn(name, data);
  return (name, data) => {
    if (passwordNames.has(name) && isPlainPassword(data)) return hiddenText;
    return mapTexts(data, masker.mask);
  };
}

const { password, becomePassword, privateKeyPassphrase } = connectionNames;
const passwordNames: ReadonlySet<string> = new Set([...password, ...becomePassword, ...privateKeyPassphrase]);

/** A template says where a password comes from, and is none itself. */
function isPlainPassword(data: unknown): boolean {
  if (typeof data === 'string') return data !== '' && !data.includes('{{') && !data.startsWith('!expr ');
  return typeof data === 'number';
}

function layersOf({ hosts, groups, localhosts }: Inventory): ReadonlySet<VariableLayer> {
  const owners = [...groups.values(), ...hosts.values(), ...localhosts.values()];
  return new Set(owners.flatMap((owner) => owner.layers));
}

function secretsIn(data: unknown): Secret[] {
  if (data instanceof Secret) return [data];
  if (typeof data !== 'object' || data === null) return [];
  return Object.values(data).flatMap(secretsIn);
}

function mapTexts(data: unknown, mask: (text: string) => string): unknown {
  if (typeof data === 'string') return mask(data);
  if (data instanceof Secret) return hiddenText;
  if (Array.isArray(data)) return data.map((item) => mapTexts(item, mask));
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([key, item]) => [key, mapTexts(item, mask)]));
}

import { type Change, Secret } from '../../../engine/index.ts';
import type { Data } from './edit.ts';
import { formatKeyPath } from './key-path.ts';
import { leafPaths } from './plan.ts';

/** The wanted values with the texts of their secrets. */
export function revealData(map: Data): Data {
  return reveal(map) as Data;
}

/** Whether there is a secret among the wanted values: the file is then secret as a whole. */
export function hasSecret(value: unknown): boolean {
  if (value instanceof Secret) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasSecret);
}

/** Changes as they may be shown: where a secret is wanted, what is there now is probably the one before it. */
export function hideSecrets(changes: readonly Change[], wanted: Data): Change[] {
  const secret = leafPaths(wanted).filter((keys) => hasSecret(keys.reduce<unknown>(inside, wanted)));
  const paths = secret.map(formatKeyPath);
  return changes.map((change) => {
    const isSecret = paths.some((path) => path.startsWith(change.path) || change.path.startsWith(path));
    return isSecret ? hideChange(change) : change;
  });
}

/** A change of which only is shown that there is one. Check mode remembers what comes of it. */
export function hideChange(change: Change): Change {
  const before = change.before === null ? null : new Secret('');
  return { ...change, before, after: typeof change.after === 'string' ? new Secret(change.after) : new Secret('') };
}

function inside(owner: unknown, key: string): unknown {
  return typeof owner === 'object' && owner !== null ? Reflect.get(owner, key) : undefined;
}

function reveal(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return value.map(reveal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, reveal(inner)]));
}

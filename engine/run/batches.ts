import type { HostCount } from '../language/playbook.ts';

/**
 * Cuts hosts into batches: the sizes in order, the last one repeated. A percentage is of all the play's hosts, rounded
 * down, but never less than one host. No sizes: one batch.
 */
export function cutBatches<T>(hosts: readonly T[], sizes: readonly HostCount[]): T[][] {
  const last = sizes.at(-1);
  if (last === undefined) return hosts.length > 0 ? [[...hosts]] : [];
  const batches: T[][] = [];
  for (let start = 0; start < hosts.length; ) {
    const size = sizes[batches.length] ?? last;
    const count = 'hosts' in size ? size.hosts : Math.max(1, Math.floor((hosts.length * size.percent) / 100));
    batches.push(hosts.slice(start, start + count));
    start += count;
  }
  return batches;
}

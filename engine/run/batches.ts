import type { HostCount } from '../language/playbook.ts';
import type { GroupLimit } from './group-limit.ts';

/** How many hosts a count means: a percentage is of all the play's hosts, rounded down, but never less than one host. */
export function countHosts(count: HostCount, all: number): number {
  return 'hosts' in count ? count.hosts : Math.max(1, Math.floor((all * count.percent) / 100));
}

/**
 * Cuts hosts into batches: the sizes in order, the last one repeated. No sizes: one batch. With a limit, a host for whose
 * group a batch has no room is taken up by the next one, and those after it move up.
 */
export function cutBatches<H>(hosts: readonly H[], sizes: readonly HostCount[], limit?: GroupLimit<H>): H[][] {
  const batches: H[][] = [];
  for (let left = hosts; left.length > 0; ) {
    const size = sizes[batches.length] ?? sizes.at(-1);
    const count = size ? countHosts(size, hosts.length) : hosts.length;
    const batch = limit ? pick(left, count, limit) : left.slice(0, count);
    left = limit ? without(left, batch) : left.slice(count);
    batches.push(batch);
  }
  return batches;
}

function pick<H>(hosts: readonly H[], count: number, limit: GroupLimit<H>): H[] {
  const batch: H[] = [];
  const room = limit.roomBeside(batch);
  for (const host of hosts) {
    if (batch.length === count) break;
    if (!room.has(host)) continue;
    room.take(host);
    batch.push(host);
  }
  return batch;
}

function without<H>(hosts: readonly H[], taken: readonly H[]): H[] {
  const gone = new Set(taken);
  return hosts.filter((host) => !gone.has(host));
}

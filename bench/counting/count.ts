import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../case.ts';
import { runOnce } from '../measure.ts';
import type { ReadyJob } from '../peers/peer.ts';
import type { Targets } from '../targets/targets.ts';
import type { Counts } from './counts.ts';
import { type Link, throughProxy } from './proxy.ts';
import { canTrace, processesIn, traced, watchProcesses } from './strace.ts';

/**
 * The proxy's delay in each direction. It keeps bursts apart, and gives the news of a login, which comes by another way,
 * time to be there before the next bytes. Milliseconds.
 */
const delayMs = 10;

/**
 * Does a job twice to count what it costs, the time aside: through a proxy what goes over the wire, and under strace, which
 * slows hosts down so much that tools may ask more often, the processes. `prepare` makes it for the hosts that are given.
 */
export async function count(
  bench: Pick<Bench, 'folder' | 'signal'>,
  targets: Targets,
  prepare: (targets: Targets) => Promise<ReadyJob>,
): Promise<Counts> {
  const hosts = targets.hosts.length;
  const wire = await countOnWire(bench.signal, targets, prepare);
  const counts = {
    hosts,
    logins: wire.logins,
    roundTrips: wire.roundTrips / hosts,
    sentBytes: wire.sentBytes / hosts,
    receivedBytes: wire.receivedBytes / hosts,
  };
  return canTrace() ? { ...counts, ...(await countStarted(bench, targets, await prepare(targets))) } : counts;
}

async function countOnWire(
  signal: AbortSignal,
  targets: Targets,
  prepare: (targets: Targets) => Promise<ReadyJob>,
): Promise<ReturnType<typeof countWire>> {
  await using proxied = await throughProxy(targets, delayMs);
  const job = await prepare(proxied.targets);
  try {
    await job.before();
    await runOnce(job.command, signal);
    await ended();
  } finally {
    await job.after();
  }
  const counted = countWire(proxied.links, await targets.logins());
  // Nothing counted would pass for little.
  if (counted.logins < targets.hosts.length) {
    throw new Error(`of ${targets.hosts.length} hosts ${counted.logins} were seen to be logged in to`);
  }
  return counted;
}

async function countStarted(
  { folder, signal }: Pick<Bench, 'folder' | 'signal'>,
  { hosts, serverPids }: Targets,
  job: ReadyJob,
): Promise<Pick<Counts, 'controllerProcesses' | 'targetProcesses'>> {
  const files = { controller: join(folder, 'controller.strace'), hosts: join(folder, 'hosts.strace') };
  // Before anybody logs in: what begins in a session that is there already is not seen.
  const watched = await watchProcesses(serverPids, files.hosts);
  try {
    await job.before();
    await runOnce(traced(job.command, files.controller), signal);
    await ended();
  } finally {
    await watched.stop();
    await job.after();
  }
  return {
    controllerProcesses: 1 + (await processesIn(files.controller)),
    targetProcesses: (await processesIn(files.hosts)) / hosts.length,
  };
}

/** The last bytes are still on their way, and sessions end after that. */
function ended(): Promise<void> {
  return sleep(delayMs * 10 + 200);
}

/** What came through after the logins, of all links together. */
export function countWire(
  links: readonly Link[],
  logins: ReadonlyMap<number, number>,
): { logins: number; roundTrips: number; sentBytes: number; receivedBytes: number } {
  const total = { logins: 0, roundTrips: 0, sentBytes: 0, receivedBytes: 0 };
  for (const { sourcePort, bursts } of links) {
    const loginMs = logins.get(sourcePort);
    if (loginMs === undefined) continue;
    total.logins++;
    let isAsked = false;
    for (const { isToHost, bytes } of bursts.filter(({ atMs }) => atMs >= loginMs)) {
      if (isToHost) total.sentBytes += bytes;
      else total.receivedBytes += bytes;
      // A last word to which nothing is said, as when a connection is closed, keeps nobody waiting.
      if (isAsked && !isToHost) total.roundTrips++;
      isAsked = isToHost;
    }
  }
  return total;
}

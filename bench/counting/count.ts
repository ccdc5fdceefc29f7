import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** Does a job once to count what it costs, the time aside; `prepare` makes it for the hosts behind a proxy. */
export async function count(
  targets: Targets,
  folder: string,
  prepare: (targets: Targets) => Promise<ReadyJob>,
): Promise<Counts> {
  await using proxied = await throughProxy(targets, delayMs);
  const job = await prepare(proxied.targets);
  const files = { controller: join(folder, 'controller.strace'), hosts: join(folder, 'hosts.strace') };
  const isTraced = canTrace();
  // Before anybody logs in: what begins in a session that is there already is not seen.
  const watched = isTraced ? await watchProcesses(targets.serverPids, files.hosts) : undefined;
  try {
    await job.before();
    await runOnce(isTraced ? traced(job.command, files.controller) : job.command);
    // The last bytes are still on their way, and sessions end after that.
    await sleep(delayMs * 10 + 200);
  } finally {
    await watched?.stop();
    await job.after();
  }
  const hosts = targets.hosts.length;
  const wire = countWire(proxied.links, await targets.logins());
  return {
    hosts,
    logins: wire.logins,
    roundTrips: wire.roundTrips / hosts,
    sentBytes: wire.sentBytes / hosts,
    receivedBytes: wire.receivedBytes / hosts,
    ...(isTraced && {
      controllerProcesses: 1 + (await processesIn(files.controller)),
      targetProcesses: (await processesIn(files.hosts)) / hosts,
    }),
  };
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

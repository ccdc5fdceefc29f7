import type { Include, Node } from '../language/playbook.ts';
import { endWithoutRunning } from './across-hosts.ts';
import { type RunContext, refOf } from './context.ts';
import { type HostRun, leaveOut, recordOutcome } from './host-run.ts';
import { chooseInclusions, type Inclusion } from './inclusion.ts';
import { verdictOfError } from './judgement.ts';
import { pauseBetween } from './loop.ts';
import { type Surroundings, takingPart } from './surroundings.ts';

/** Runs nodes on hosts; see `runNodes`. */
type RunNodes = (nodes: readonly Node[], hosts: readonly HostRun[], surroundings: Surroundings) => Promise<void>;

/**
 * Each host decides what it includes, and how often. Then the hosts that include the same file for the same item run its
 * tasks together; every host keeps the order of its own items.
 */
export async function runInclude(
  context: RunContext,
  include: Include,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
  run: RunNodes,
): Promise<void> {
  const queues = new Map(hosts.map((host) => [host, inclusionsOf(context, include, host, surroundings)]));
  for (let isFirst = true; ; isFirst = false) {
    const left = takingPart(hosts, surroundings).filter((host) => queues.get(host)?.length);
    const next = left[0] && queues.get(left[0])?.[0];
    if (!next) return;
    if (!isFirst && include.loop && include.loopControl.pauseMs > 0) {
      await pauseBetween(context, include.loopControl).catch(() => undefined);
      for (const { answers } of hosts) answers.forget();
    }
    if (context.request.signal.aborted) return leaveOut(left);
    const together = left.filter((host) => queues.get(host)?.[0]?.key === next.key);
    for (const host of together) queues.get(host)?.shift();
    const { key, variables, nodes, message } = next;
    endOnHosts(context, include, together, { outcome: 'ok', ...(message && { message }) });
    await run(nodes, together, { ...surroundings, turn: { key, variables } });
  }
}

/** Hosts whose tasks are replayed decide again what they include, and as before: nothing of it is news. */
function endOnHosts(
  context: RunContext,
  include: Include,
  hosts: readonly HostRun[],
  end: Parameters<typeof endWithoutRunning>[4],
): void {
  const isNews = (host: HostRun): boolean => host.record.isLive || end.failure !== undefined;
  for (const host of hosts) if (!isNews(host)) recordOutcome(host, include.name, end);
  endWithoutRunning(context, refOf(context, include), hosts.filter(isNews), false, end);
}

/** What one host includes, in order. A host that includes nothing, or cannot tell, is done with it here. */
function inclusionsOf(context: RunContext, include: Include, host: HostRun, surroundings: Surroundings): Inclusion[] {
  const end = (result: Parameters<typeof endWithoutRunning>[4]): Inclusion[] => {
    endOnHosts(context, include, [host], result);
    return [];
  };
  try {
    const chosen = chooseInclusions(context, include, host, surroundings);
    return Array.isArray(chosen) ? chosen : end({ outcome: 'skipped', ...chosen });
  } catch (error) {
    const { result } = verdictOfError(error, include);
    // Nobody knows what the tasks of the file would have done.
    if (result.outcome === 'unknown') host.predicted.recordAnything(`"${include.name}"`);
    return end(result);
  }
}

import { formatRange } from '../base/source.ts';
import type { Node, Play } from '../language/playbook.ts';
import { endWithoutRunning } from './across-hosts.ts';
import { runBatch } from './batch-run.ts';
import { countHosts, cutBatches } from './batches.ts';
import type { RunContext } from './context.ts';
import { type GroupLimit, groupLimitOf } from './group-limit.ts';
import { type HostRun, leaveOut } from './host-run.ts';
import { selectNodes, tasksOf } from './selection.ts';
import { isInStep, type PlayProgress } from './surroundings.ts';
import { runWindow } from './window.ts';

/** How a play ended, for the plays after it. */
export interface PlayEnd {
  /** Set when the failure budget was reached: nothing further is to be started. */
  readonly stopReason?: string;
  /** Hosts of the play were not started. */
  readonly leavesHostsOut: boolean;
}

/**
 * Runs a play: batch after batch, or a window of hosts that moves on as one of them ends. A host that fails takes no part
 * in what follows; with `any_errors_fatal` what is in hand goes on to its end and no further host starts.
 */
export async function runPlay(context: RunContext, play: Play, hosts: readonly HostRun[]): Promise<PlayEnd> {
  const { bus } = context;
  const nodes = selectNodes(play.tasks, context.isSelected);
  const progress: PlayProgress = { play, hosts, isEnded: false };
  for (const host of hosts) host.hasEnded = false;
  bus.emit({
    type: 'play-started',
    id: play.id,
    name: play.name,
    hosts: hosts.map((h) => h.name),
    taskCount: [...tasksOf(nodes)].length,
    isInStep: isInStep(play),
  });
  const end = await runHosts(context, nodes, progress);
  if (end.stopReason !== undefined) bus.emit({ type: 'stopping', reason: end.stopReason });
  bus.emit({ type: 'play-ended', id: play.id });
  return end;
}

async function runHosts(context: RunContext, nodes: readonly Node[], progress: PlayProgress): Promise<PlayEnd> {
  const { play, hosts } = progress;
  const { limit, unknown } = groupLimitOf(context, play, hosts);
  if (unknown.size > 0) return refuse(context, play, unknown, hosts);
  const left =
    play.serial.kind === 'window'
      ? await runInWindow(context, nodes, progress, countHosts(play.serial.size, hosts.length), limit)
      : await runInBatches(context, nodes, progress, cutBatches(hosts, play.serial.sizes, limit));
  if (context.request.signal.aborted) leaveOut(left);
  const stopReason = budgetReached(progress, left.length > 0);
  return { ...(stopReason !== undefined && { stopReason }), leavesHostsOut: left.length > 0 };
}

/** Runs batch after batch; gives the hosts that were not started. */
async function runInBatches(
  context: RunContext,
  nodes: readonly Node[],
  progress: PlayProgress,
  batches: readonly (readonly HostRun[])[],
): Promise<readonly HostRun[]> {
  for (const [i, batch] of batches.entries()) {
    if (!mayStart(context, progress)) return batches.slice(i).flat();
    await runNumbered(context, nodes, progress, batch, i + 1, batches.length);
  }
  return [];
}

/** Keeps so many hosts in flight, each a batch of its own; gives the hosts that were not started. */
function runInWindow(
  context: RunContext,
  nodes: readonly Node[],
  progress: PlayProgress,
  size: number,
  limit?: GroupLimit<HostRun>,
): Promise<readonly HostRun[]> {
  const passedOver = new Set<HostRun>();
  let number = 0;
  return runWindow(
    progress.hosts,
    {
      size,
      mayStart: () => mayStart(context, progress),
      roomBeside: (inFlight) => limit?.roomBeside(inFlight) ?? { has: () => true },
      onPassedOver(host) {
        if (!limit || passedOver.has(host)) return;
        passedOver.add(host);
        context.bus.emit({ type: 'host-waiting', host: host.name, reason: limit.reasonFor(host) });
      },
    },
    (host) => runNumbered(context, nodes, progress, [host], ++number, progress.hosts.length),
  );
}

async function runNumbered(
  context: RunContext,
  nodes: readonly Node[],
  progress: PlayProgress,
  hosts: readonly HostRun[],
  number: number,
  of: number,
): Promise<void> {
  context.bus.emit({ type: 'batch-started', number, of, hosts: hosts.map((h) => h.name) });
  await runBatch(context, nodes, hosts, progress);
  context.bus.emit({ type: 'batch-ended', number });
}

function mayStart({ request }: RunContext, { play, hosts, isEnded }: PlayProgress): boolean {
  return !request.signal.aborted && !isEnded && !(play.anyErrorsFatal && hosts.some(isDown));
}

function budgetReached({ play, hosts }: PlayProgress, hasMore: boolean): string | undefined {
  const down = hosts.filter(isDown).map((h) => h.name);
  if (!play.anyErrorsFatal || down.length === 0) return undefined;
  const names = down.length > 5 ? `${down.slice(0, 5).join(', ')} and ${down.length - 5} more` : down.join(', ');
  const rest = hasMore ? 'no further host of the play is started' : `no further play is started`;
  return `${down.length} of ${hosts.length} hosts down (${names}), and any_errors_fatal is set: ${rest}`;
}

function isDown(host: HostRun): boolean {
  return host.status === 'failed' || host.status === 'unreachable';
}

/** Starts no host, because it cannot be told how many may be worked on at the same time. */
function refuse(
  context: RunContext,
  play: Play,
  unknown: ReturnType<typeof groupLimitOf>['unknown'],
  hosts: readonly HostRun[],
): PlayEnd {
  const ref = { id: `${play.id}/max_per_group`, name: 'max_per_group', module: 'play', place: formatRange(play.range) };
  for (const [host, failure] of unknown) {
    host.hasStarted = true;
    endWithoutRunning(context, ref, [host], false, { outcome: 'failed', failure });
  }
  const stopReason = `max_per_group: the group of ${unknown.size} of ${hosts.length} hosts cannot be told: no host is started`;
  return { stopReason, leavesHostsOut: true };
}

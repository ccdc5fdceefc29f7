import type { BudgetView } from '../base/events.ts';
import { formatRange } from '../base/source.ts';
import type { Node, Play } from '../language/playbook.ts';
import { endWithoutRunning } from './across-hosts.ts';
import { bakeBatch } from './bake.ts';
import { runBatch } from './batch-run.ts';
import { countHosts, cutBatches } from './batches.ts';
import { budgetOf, budgetReason, budgetView, reachedLimit } from './budget.ts';
import type { RunContext } from './context.ts';
import { type GroupLimit, groupLimitOf } from './group-limit.ts';
import { type HostRun, leaveOut } from './host-run.ts';
import { selectNodes, tasksOf } from './selection.ts';
import { isInStep, type PlayProgress } from './surroundings.ts';
import { runWindow } from './window.ts';

/** Why nothing further is started. */
export interface Stop {
  readonly reason: string;
  /** Set when it was the failure budget. */
  readonly budget?: BudgetView;
}

/** How a play ended, for the plays after it. */
export interface PlayEnd {
  /** Set when the failure budget was reached, or a health gate failed: nothing further is to be started. */
  readonly stop?: Stop | undefined;
  /** Hosts of the play were not started. */
  readonly leavesHostsOut: boolean;
}

/**
 * Runs a play: batch after batch, or a window of hosts that moves on as one of them ends. A host that fails takes no part
 * in what follows; once the failure budget is reached, what is in hand goes on to its end and no further host starts.
 * `run` are the hosts of all plays so far.
 */
export async function runPlay(
  context: RunContext,
  play: Play,
  hosts: readonly HostRun[],
  run: ReadonlySet<HostRun>,
): Promise<PlayEnd> {
  const { bus, request } = context;
  const nodes = selectNodes(play.tasks, context.isSelected);
  const progress: PlayProgress = { play, hosts, run, budget: budgetOf(play, request), isEnded: false };
  for (const host of hosts) host.hasEnded = false;
  bus.emit({
    type: 'play-started',
    id: play.id,
    name: play.name,
    hosts: hosts.map((h) => h.name),
    taskCount: [...tasksOf(nodes)].length,
    isInStep: isInStep(play),
  });
  const { left, stop } = await runHosts(context, nodes, progress);
  if (request.signal.aborted) leaveOut(left);
  if (stop) bus.emit({ type: 'stopping', ...stop });
  bus.emit({ type: 'play-ended', id: play.id });
  return { stop, leavesHostsOut: left.length > 0 };
}

/** The hosts of a play that were not started, and why they were not. */
interface HostsEnd {
  readonly left: readonly HostRun[];
  readonly stop?: Stop | undefined;
}

async function runHosts(context: RunContext, nodes: readonly Node[], progress: PlayProgress): Promise<HostsEnd> {
  const { play, hosts } = progress;
  const { limit, unknown } = groupLimitOf(context, play, hosts);
  if (unknown.size > 0) return refuse(context, play, unknown, hosts);
  if (play.serial.kind === 'batches')
    return runInBatches(context, nodes, progress, cutBatches(hosts, play.serial.sizes, limit));
  const left = await runInWindow(context, nodes, progress, countHosts(play.serial.size, hosts.length), limit);
  return { left, stop: stopOf(progress, hosts, left) };
}

async function runInBatches(
  context: RunContext,
  nodes: readonly Node[],
  progress: PlayProgress,
  batches: readonly (readonly HostRun[])[],
): Promise<HostsEnd> {
  let left = batches.flat();
  let stop = stopOf(progress, [], left);
  for (const [i, hosts] of batches.entries()) {
    if (stop || progress.isEnded || context.request.signal.aborted) return { left, stop };
    const [number, of] = [i + 1, batches.length];
    await runNumbered(context, nodes, progress, hosts, number, of);
    left = batches.slice(number).flat();
    stop = stopOf(progress, hosts, left);
    const gate = stop ? undefined : await bakeBatch(context, progress, { hosts, number, of, hostsLeft: left.length });
    if (gate !== undefined) stop = { reason: gate };
  }
  return { left, stop };
}

/** Keeps so many hosts in flight, each a batch of its own; gives the hosts that were not started. */
function runInWindow(
  context: RunContext,
  nodes: readonly Node[],
  progress: PlayProgress,
  size: number,
  limit?: GroupLimit<HostRun>,
): Promise<readonly HostRun[]> {
  const { hosts } = progress;
  const passedOver = new Set<HostRun>();
  let number = 0;
  return runWindow(
    hosts,
    {
      size,
      mayStart: () => !context.request.signal.aborted && !progress.isEnded && !stopOf(progress, hosts, []),
      roomBeside: (inFlight) => limit?.roomBeside(inFlight) ?? { has: () => true },
      onPassedOver(host) {
        if (!limit || passedOver.has(host)) return;
        passedOver.add(host);
        context.bus.emit({ type: 'host-waiting', host: host.name, reason: limit.reasonFor(host) });
      },
    },
    (host) => runNumbered(context, nodes, progress, [host], ++number, hosts.length),
  );
}

/** Whether the failure budget is reached, after a batch. With a window all hosts of the play are one. */
function stopOf({ budget, run }: PlayProgress, batch: readonly HostRun[], left: readonly HostRun[]): Stop | undefined {
  const reached = reachedLimit(budget, { run, batch });
  if (!reached) return undefined;
  const view = budgetView(reached, left.length);
  return { reason: budgetReason(view, reached.isBatch), budget: view };
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

/** Starts no host, because it cannot be told how many may be worked on at the same time. */
function refuse(
  context: RunContext,
  play: Play,
  unknown: ReturnType<typeof groupLimitOf>['unknown'],
  hosts: readonly HostRun[],
): HostsEnd {
  const ref = { id: `${play.id}/max_per_group`, name: 'max_per_group', module: 'play', place: formatRange(play.range) };
  for (const [host, failure] of unknown) {
    host.hasStarted = true;
    endWithoutRunning(context, ref, [host], false, { outcome: 'failed', failure });
  }
  const reason = `max_per_group: the group of ${unknown.size} of ${hosts.length} hosts cannot be told: no host is started`;
  return { left: hosts, stop: { reason } };
}

import type { Node, Play } from '../language/playbook.ts';
import type { Surroundings } from './across-hosts.ts';
import { cutBatches } from './batches.ts';
import type { RunContext } from './context.ts';
import { gatherFacts } from './gather-facts.ts';
import { runHandlers } from './handlers.ts';
import { type HostRun, leaveOut } from './host-run.ts';
import { runNodes } from './node-run.ts';
import { selectNodes, tasksOf } from './selection.ts';

/** How a play ended, for the plays after it. */
export interface PlayEnd {
  /** Set when the failure budget was reached: nothing further is to be started. */
  readonly stopReason?: string;
  /** Batches of the play were not started. */
  readonly leavesBatchesOut: boolean;
}

/**
 * Runs a play: batch by batch, task by task across the hosts of a batch, handlers at each batch's end. A host that fails
 * takes no part in what follows; with `any_errors_fatal` the batch in hand goes on to its end and no further one starts.
 */
export async function runPlay(context: RunContext, play: Play, hosts: readonly HostRun[]): Promise<PlayEnd> {
  const { bus } = context;
  const selected = selectNodes(play.tasks, context.isSelected);
  bus.emit({
    type: 'play-started',
    id: play.id,
    name: play.name,
    hosts: hosts.map((h) => h.name),
    taskCount: [...tasksOf(selected)].length,
  });
  const batches = cutBatches(hosts, play.serial.kind === 'batches' ? play.serial.sizes : []);
  for (const [i, batch] of batches.entries()) {
    if (context.request.signal.aborted) {
      leaveOut(batches.slice(i).flat());
      break;
    }
    const number = i + 1;
    bus.emit({ type: 'batch-started', number, of: batches.length, hosts: batch.map((h) => h.name) });
    for (const host of batch) host.hasStarted = true;
    await runBatch(context, play, selected, batch);
    bus.emit({ type: 'batch-ended', number });
    const isLast = number === batches.length;
    const stopReason = play.anyErrorsFatal ? budgetReached(batch, hosts.length, !isLast) : undefined;
    if (stopReason === undefined) continue;
    bus.emit({ type: 'stopping', reason: stopReason });
    bus.emit({ type: 'play-ended', id: play.id });
    return { stopReason, leavesBatchesOut: !isLast };
  }
  bus.emit({ type: 'play-ended', id: play.id });
  return { leavesBatchesOut: false };
}

function budgetReached(batch: readonly HostRun[], all: number, hasMore: boolean): string | undefined {
  const down = batch.filter((h) => h.status === 'failed' || h.status === 'unreachable').map((h) => h.name);
  if (down.length === 0) return undefined;
  const names = down.length > 5 ? `${down.slice(0, 5).join(', ')} and ${down.length - 5} more` : down.join(', ');
  const rest = hasMore ? 'no further batch of the play is started' : `no further play is started`;
  return `${down.length} of ${all} hosts down (${names}), and any_errors_fatal is set: ${rest}`;
}

async function runBatch(
  context: RunContext,
  play: Play,
  nodes: readonly Node[],
  batch: readonly HostRun[],
): Promise<void> {
  if (play.gatherFacts === true) await gatherFacts(context, play, batch);
  const surroundings: Surroundings = { play, leases: [] };
  await runNodes(context, nodes, batch, surroundings);
  await runHandlers(context, play, batch, surroundings);
}

import type { Node } from '../language/playbook.ts';
import { createSurroundings } from './batch-run.ts';
import { restOf } from './budget.ts';
import type { RunContext } from './context.ts';
import { runLastHandlers } from './handlers.ts';
import { type HostRun, hasFailed, leaveOut } from './host-run.ts';
import { runNodes } from './node-run.ts';
import { isSelected, selectNodes, tasksOf } from './selection.ts';
import type { PlayProgress } from './surroundings.ts';

/** A batch that has ended. */
export interface EndedBatch {
  readonly hosts: readonly HostRun[];
  readonly number: number;
  readonly of: number;
  /** How many hosts of the play come after it. */
  readonly hostsLeft: number;
}

/**
 * Watches a batch before the next one starts, then runs the play's health gate on those of its hosts that are still in.
 * Says why the run stops when the gate failed. The first Ctrl-C ends the wait. In check mode it only says what it would do.
 */
export async function bakeBatch(
  context: RunContext,
  progress: PlayProgress,
  batch: EndedBatch,
): Promise<string | undefined> {
  const { bake } = progress.play;
  const hosts = batch.hosts.filter((host) => host.status === 'active' && !host.hasEnded);
  if (!bake || hosts.length === 0 || context.request.signal.aborted) return undefined;
  const { number, of } = batch;
  const waitMs = number < of ? bake.waitMs : 0;
  const gate = gateOf(context, bake.tasks);
  if (waitMs === 0 && gate.length === 0) return undefined;
  const names = hosts.map((host) => host.name);
  const tasks = [...tasksOf(gate)].map((task) => task.name);
  context.bus.emit({ type: 'bake-started', number, of, hosts: names, waitMs, tasks });
  const outcome = context.request.isCheckMode
    ? 'not-run'
    : await bakeHosts(context, progress, hosts, batch, gate, waitMs);
  context.bus.emit({ type: 'bake-ended', number, outcome });
  if (outcome !== 'failed') return undefined;
  const failed = hosts.filter(hasFailed).map((host) => `${host.name}: ${host.failure?.task ?? ''}`);
  const more = failed.length > 5 ? ` and ${failed.length - 5} more` : '';
  return `the health gate of batch ${number} of ${of} failed (${failed.slice(0, 5).join(', ')}${more}): ${restOf(batch.hostsLeft)}`;
}

/** The tasks of the gate: `--tags` chooses what is to be done, not whether it is looked at afterwards. */
function gateOf({ request }: RunContext, tasks: readonly Node[]): readonly Node[] {
  return selectNodes(tasks, (tagged) => isSelected(tagged, [], request.skipTags));
}

async function bakeHosts(
  context: RunContext,
  progress: PlayProgress,
  hosts: readonly HostRun[],
  { number, of }: EndedBatch,
  gate: readonly Node[],
  waitMs: number,
): Promise<'ok' | 'failed' | 'interrupted'> {
  const done = `${progress.play.id}/bake/${number}`;
  if (waitMs > 0 && !context.record.isDone(done)) {
    const isOver = await waitForBatch(context, waitMs, `waiting for batch ${number} of ${of} to bake`);
    if (!isOver) {
      // What nobody has looked at is not done.
      if (gate.length > 0) leaveOut(hosts);
      return 'interrupted';
    }
    context.record.markDone(done);
  }
  const surroundings = createSurroundings(progress, hosts);
  await runNodes(context, gate, hosts, surroundings);
  await runLastHandlers(context, hosts, surroundings);
  if (hosts.some(hasFailed)) return 'failed';
  return context.request.signal.aborted ? 'interrupted' : 'ok';
}

/** False when it was interrupted. */
async function waitForBatch({ bus, clock, request }: RunContext, waitMs: number, text: string): Promise<boolean> {
  const sinceMs = clock.now();
  bus.emit({ type: 'run-waiting', text, sinceMs, deadlineMs: sinceMs + waitMs });
  try {
    await clock.sleep(waitMs, request.signal);
    return true;
  } catch (error) {
    if (!request.signal.aborted) throw error;
    return false;
  } finally {
    bus.emit({ type: 'run-wait-over', text });
  }
}

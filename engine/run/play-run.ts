import type { Outcome, TaskRef, TaskResult } from '../base/events.ts';
import { formatRange } from '../base/source.ts';
import type { Block, Node, Play, Task } from '../language/playbook.ts';
import { connectionFor } from './addressing.ts';
import { cutBatches } from './batches.ts';
import { type OnceResult, type RunContext, refOf } from './context.ts';
import { factsProbe } from './facts.ts';
import { type HostRun, leaveOut, recordOutcome } from './host-run.ts';
import { outcomeOf, type TaskEnd } from './judgement.ts';
import { createLeaseHold, type LeaseHold, releaseDecision } from './lease-hold.ts';
import { releaseLease, takeLeases } from './lease-run.ts';
import { resultOf, shown } from './no-log.ts';
import { tasksOf } from './selection.ts';
import { failureView } from './step-runner.ts';
import { runTaskOnHost } from './task-run.ts';

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
  const selected = selectIn(play.tasks, context);
  bus.emit({
    type: 'play-started',
    id: play.id,
    name: play.name,
    hosts: hosts.map((h) => h.name),
    taskCount: [...tasksOf(selected)].length,
  });
  const batches = cutBatches(hosts, play.serial);
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
  if (play.gatherFacts) await gatherFacts(context, play, batch);
  const surroundings: Surroundings = { play, leases: [] };
  await runNodes(context, nodes, batch, surroundings);
  // A handler may notify one that stands before it: round again until none is left, at most once for each handler.
  for (let round = 0; round < play.handlers.length; round++) {
    if (!(await runHandlers(context, play, batch, surroundings))) break;
  }
  // What a failed host still has in `notified` is told in the recap; the others are done.
}

/** Runs the handlers that were notified, in the order of the play; false when there was none. */
async function runHandlers(
  context: RunContext,
  play: Play,
  batch: readonly HostRun[],
  surroundings: Surroundings,
): Promise<boolean> {
  let wasNotified = false;
  for (const handler of play.handlers) {
    const active = batch.filter((h) => h.status === 'active');
    const notified = active.filter((h) => h.notified.has(handler.name));
    predictUnknown(context, handler, active);
    if (notified.length === 0) continue;
    if (context.request.signal.aborted) {
      leaveOut(notified);
      return false;
    }
    wasNotified = true;
    // Before it runs: it may notify itself by way of others.
    for (const host of notified) host.notified.delete(handler.name);
    await runTask(context, handler, notified, surroundings, true);
    for (const host of notified) if (host.status !== 'active') host.notified.add(handler.name);
  }
  return wasNotified;
}

/** In check mode: a handler that only tasks would notify of which it is unknown whether they change anything. */
function predictUnknown(context: RunContext, handler: Task, hosts: readonly HostRun[]): void {
  const unknown = hosts.filter((h) => h.perhapsNotified.delete(handler.name) && !h.notified.has(handler.name));
  for (const host of unknown) {
    host.predicted.record([]);
    for (const name of handler.notify) host.perhapsNotified.add(name);
  }
  const message = 'it runs if a task changes something of which check mode cannot tell';
  endWithoutRunning(context, handler, unknown, true, { outcome: 'unknown', message });
}

interface Surroundings {
  readonly play: Play;
  /** The leases of the blocks around, outermost first. */
  readonly leases: readonly LeaseHold[];
}

/** Runs nodes in order across hosts; each host's status says afterwards whether it is still in. */
async function runNodes(
  context: RunContext,
  nodes: readonly Node[],
  hosts: readonly HostRun[],
  surroundings: Surroundings,
): Promise<void> {
  for (const node of nodes) {
    const active = hosts.filter((h) => h.status === 'active');
    if (active.length === 0) return;
    if (context.request.signal.aborted) {
      return leaveOut(active);
    }
    if (node.kind === 'task') await runTask(context, node, active, surroundings, false);
    else await runBlock(context, node, active, surroundings);
  }
}

async function runBlock(
  context: RunContext,
  block: Block,
  hosts: readonly HostRun[],
  outer: Surroundings,
): Promise<void> {
  const hold = block.lease && createLeaseHold(block.lease);
  const inner = hold ? { ...outer, leases: [...outer.leases, hold] } : outer;
  await runNodes(context, block.body, hosts, inner);
  // Where a lease around it was refused nothing was done in it, so there is nothing to rescue.
  const isRefused = (h: HostRun): boolean => inner.leases.some((lease) => lease.of(h.name).state === 'refused');
  const failed = hosts.filter((h) => isDown(h) && !isRefused(h));
  if (block.rescue.length > 0 && failed.length > 0) await rescue(context, block, failed, inner);
  if (block.always.length > 0) await runAlways(context, block, hosts, inner);
  if (hold) await settleLease(context, hold, hosts, outer.play);
}

async function rescue(
  context: RunContext,
  block: Block,
  failed: readonly HostRun[],
  inner: Surroundings,
): Promise<void> {
  for (const host of failed) {
    host.data.failed_task = { name: host.failure?.task ?? '' };
    host.data.failed_result = { message: host.failure?.message ?? '', code: host.failure?.code ?? '' };
  }
  const before = new Map(failed.map((h) => [h, { status: h.status, failure: h.failure }]));
  for (const host of failed) host.status = 'active';
  await runNodes(context, block.rescue, failed, inner);
  for (const host of failed) {
    const was = before.get(host)?.status;
    if (was !== 'failed' && was !== 'unreachable') continue;
    // A rescue that did not run, or not to its end, rescued nothing.
    if (host.status === 'interrupted') host.status = was;
    if (host.status !== 'active') continue;
    host.counts[was]--;
    host.counts.rescued++;
    delete host.failure;
  }
}

/** `always` runs on every host that entered the block; what failed before stays failed after it. */
async function runAlways(
  context: RunContext,
  block: Block,
  hosts: readonly HostRun[],
  inner: Surroundings,
): Promise<void> {
  const before = new Map(hosts.map((h) => [h, { status: h.status, failure: h.failure }]));
  const entered = hosts.filter((h) => h.status !== 'interrupted');
  for (const host of entered) host.status = 'active';
  await runNodes(context, block.always, entered, inner);
  for (const [host, { status, failure }] of before) {
    if (status === 'active') continue;
    host.status = status;
    if (failure) host.failure = failure;
  }
}

async function settleLease(context: RunContext, hold: LeaseHold, hosts: readonly HostRun[], play: Play): Promise<void> {
  const settle = async (host: HostRun): Promise<void> => {
    const held = hold.of(host.name);
    if (held.state !== 'held') return;
    const end = host.status === 'active' ? 'succeeded' : host.status === 'interrupted' ? 'interrupted' : 'failed';
    const decision = releaseDecision(hold.clause, held, end);
    if (decision.release) return releaseLease(context, hold, host, play);
    host.keptLeases.push({ task: hold.clause.task.name, reason: decision.reason });
    context.bus.emit({
      type: 'lease-kept',
      task: refOf(hold.clause.task),
      host: host.name,
      grant: shown(hold.clause.task, held.grant),
      reason: decision.reason,
    });
  };
  await Promise.all(hosts.map(settle));
}

/** Runs one task on all hosts; with `run_once` on the first one of the run, for all. */
async function runTask(
  context: RunContext,
  task: Task,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
  isHandler: boolean,
): Promise<void> {
  if (!task.runOnce) {
    await runOnHosts(context, task, hosts, surroundings, isHandler);
    return;
  }
  const known = context.onceResults.get(task.id);
  if (known) return shareResult(context, task, hosts, known);
  const [first, ...others] = hosts;
  if (!first) return;
  const [end] = await runOnHosts(context, task, [first], surroundings, isHandler);
  if (!end) return;
  const once = { ...end, host: first.name };
  context.onceResults.set(task.id, once);
  shareResult(context, task, others, once);
}

/** Runs a task on hosts, as many at a time as there are forks. A host that was interrupted before its turn has no end. */
function runOnHosts(
  context: RunContext,
  task: Task,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
  isHandler: boolean,
): Promise<(TaskEnd | undefined)[]> {
  context.bus.emit({ type: 'task-started', task: refOf(task), hosts: hosts.map((h) => h.name), isHandler });
  const run = async (host: HostRun): Promise<TaskEnd | undefined> => {
    if (context.request.signal.aborted) return leaveOut([host]);
    return runAndRecord(context, task, host, surroundings);
  };
  return Promise.all(hosts.map((host) => context.limit(() => run(host))));
}

/** Gives hosts what a `run_once` task did on another host: its result, its facts, and its failure. */
function shareResult(context: RunContext, task: Task, hosts: readonly HostRun[], once: OnceResult): void {
  register(task, hosts, once.registered);
  for (const host of hosts) Object.assign(host.data, once.facts);
  const { outcome, failure } = resultOf(task, once.result);
  if ((outcome !== 'failed' && outcome !== 'unreachable') || failure?.code === 'interrupted') return;
  const message = `run_once, and on ${once.host} it is ${outcome}: ${failure?.message ?? ''}`;
  endWithoutRunning(context, task, hosts, false, { outcome: 'failed', failure: { code: 'task-failed', message } });
}

/** Ends a task on hosts on which it is not run. */
function endWithoutRunning(
  context: RunContext,
  task: Task,
  hosts: readonly HostRun[],
  isHandler: boolean,
  end: Pick<TaskResult, 'outcome' | 'message' | 'failure'>,
): void {
  const ref = refOf(task);
  if (hosts.length > 0)
    context.bus.emit({ type: 'task-started', task: ref, hosts: hosts.map((h) => h.name), isHandler });
  for (const host of hosts) {
    context.bus.emit({ type: 'host-task-started', task: ref, host: host.name });
    recordOutcome(host, task.name, end);
    context.bus.emit({ type: 'host-task-ended', task: ref, host: host.name, durationMs: 0, changes: [], ...end });
  }
}

function register(task: Task, hosts: readonly HostRun[], registered: unknown): void {
  if (task.register === undefined) return;
  for (const host of hosts) host.data[task.register] = registered;
}

async function runAndRecord(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: Surroundings,
): Promise<TaskEnd> {
  const ref = refOf(task);
  context.bus.emit({ type: 'host-task-started', task: ref, host: host.name });
  const end = await runTaskOnHost(context, task, host, {
    play: surroundings.play,
    beforeEffect: () => takeLeases(context, surroundings.leases, host, surroundings.play),
  });
  register(task, [host], end.registered);
  if (end.result.outcome === 'changed' || end.hasChangedItem) for (const name of task.notify) host.notified.add(name);
  if (end.result.outcome === 'unknown') for (const name of task.notify) host.perhapsNotified.add(name);
  const result = resultOf(task, end.result);
  recordOutcome(host, task.name, result);
  context.bus.emit({ type: 'host-task-ended', task: ref, host: host.name, ...result });
  return end;
}

async function gatherFacts(context: RunContext, play: Play, hosts: readonly HostRun[]): Promise<void> {
  const ref: TaskRef = {
    id: `${play.id}/facts`,
    name: 'Gather facts',
    module: 'facts',
    place: formatRange(play.range),
  };
  const missing = hosts.filter((h) => h.data.facts === undefined && h.status === 'active');
  if (missing.length === 0) return;
  context.bus.emit({ type: 'task-started', task: ref, hosts: missing.map((h) => h.name), isHandler: false });
  const gather = async (host: HostRun): Promise<void> => {
    if (context.request.signal.aborted) return leaveOut([host]);
    const started = context.clock.now();
    context.bus.emit({ type: 'host-task-started', task: ref, host: host.name });
    let outcome: Outcome = 'ok';
    let failure: TaskEnd['result']['failure'];
    try {
      const connection = await connectionFor(context, host, play);
      const { script, parse } = factsProbe;
      host.data.facts = parse(await connection.run(script, { timeoutMs: 60_000, signal: context.request.abort }));
    } catch (error) {
      failure = failureView(error);
      outcome = outcomeOf(failure);
    }
    recordOutcome(host, ref.name, { outcome, ...(failure && { failure }) });
    const durationMs = context.clock.now() - started;
    context.bus.emit({
      type: 'host-task-ended',
      task: ref,
      host: host.name,
      outcome,
      durationMs,
      changes: [],
      ...(failure && { failure }),
    });
  };
  await Promise.all(missing.map((host) => context.limit(() => gather(host))));
}

/** The nodes that `--tags` and `--skip-tags` leave; a block of which nothing is left to run is dropped with its lease. */
function selectIn(nodes: readonly Node[], context: RunContext): Node[] {
  return nodes.flatMap((node): Node[] => {
    if (node.kind === 'task') return context.isSelected(node) ? [node] : [];
    const select = (part: readonly Node[]): Node[] => selectIn(part, context);
    const body = select(node.body);
    const always = select(node.always);
    return body.length + always.length > 0 ? [{ ...node, body, rescue: select(node.rescue), always }] : [];
  });
}

function isDown(host: HostRun): boolean {
  return host.status === 'failed' || host.status === 'unreachable';
}

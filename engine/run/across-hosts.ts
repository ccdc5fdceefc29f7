import { setImmediate } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { TaskRef, TaskResult } from '../base/events.ts';
import { shortDigest } from '../base/short-digest.ts';
import type { Task } from '../language/playbook.ts';
import { nameTask, type RunContext, refOf } from './context.ts';
import { notifyHandlers, replayHandled, runHandlers } from './handlers.ts';
import { type HostRun, leaveOut, recordOutcome } from './host-run.ts';
import { tellingOfRun } from './host-telling.ts';
import type { EndedAs, RecordedEnd } from './journal/record.ts';
import { taskKeyOf } from './journal/task-key.ts';
import type { TaskEnd } from './judgement.ts';
import { checkLeases, takeLeases } from './lease-run.ts';
import { resultOf } from './no-log.ts';
import { createOnceResults, type OnceResult } from './once.ts';
import { openTaskGate } from './plan-gate.ts';
import { createTrail, findValuesAgain, recordedOf, replayedElsewhere, retrace, type Trail } from './replay.ts';
import type { Surroundings } from './surroundings.ts';
import { runTaskOnHost } from './task-run.ts';

/** Runs one task on all hosts; with `run_once` on the first one that can be reached, for all. */
export async function runTask(
  context: RunContext,
  task: Task,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
  isHandler: boolean,
): Promise<void> {
  if (task.runOnce) await runForAll(context, task, hosts, surroundings, isHandler);
  else await runOnHosts(context, task, hosts, surroundings, isHandler);
  // Where no host had to be asked nothing was waited for, and the journal would be written, Ctrl-C be heard and the screen be
  // drawn only after the last of such tasks.
  await setImmediate();
}

async function runForAll(
  context: RunContext,
  task: Task,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
  isHandler: boolean,
): Promise<void> {
  const tried = new Set<HostRun>();
  const name = `${task.id} ${surroundings.turn?.key ?? ''}`;
  const recordKey = isHandler ? undefined : onceKeyOf(task, surroundings, name);
  const tryOn = async (host: HostRun): Promise<TaskEnd | undefined> => {
    tried.add(host);
    const [end] = await runOnHosts(context, task, [host], surroundings, isHandler, recordKey);
    return end;
  };
  const tryInOrder = async (): Promise<OnceResult | undefined> => {
    for (const host of hosts) {
      const end = await tryOn(host);
      if (!end && context.request.signal.aborted) return undefined;
      if (!end) continue;
      // Another host may be up; where the task is delegated to would not be for it either.
      if (wasReached(end) || task.delegateTo) return { ...end, host: host.name };
    }
    return undefined;
  };
  const replayOrTry = async (): Promise<OnceResult | undefined> => {
    const known = recordKey === undefined ? undefined : context.record.once(recordKey);
    if (!known) return tryInOrder();
    const own = hosts.find((host) => host.name === known.host);
    if (!own) return replayedElsewhere(task, known);
    const end = await tryOn(own);
    if (end) return { ...end, host: own.name };
    return context.request.signal.aborted ? undefined : replayedElsewhere(task, known);
  };
  // What notifies a handler again wants it to run again.
  const results = isHandler ? createOnceResults() : task.runOnce === 'batch' ? surroundings.batch.once : context.once;
  const once = await results.of(name, replayOrTry, tellingOfOnce(context, task));
  const others = hosts.filter((host) => !tried.has(host));
  if (once) shareResult(context, task, others, once, surroundings);
}

/** The name of a `run_once` task in the record of the run. */
function onceKeyOf(task: Task, { turn, batch }: Surroundings, name: string): string {
  const hosts = task.runOnce === 'batch' ? batch.hosts.map((host) => host.name).join(' ') : '';
  return shortDigest(`${name} ${taskKeyOf(task, turn)} ${hosts}`);
}

function wasReached({ result, isLeftOut }: TaskEnd): boolean {
  return result.outcome !== 'unreachable' && !isLeftOut;
}

/**
 * Runs a task on hosts, as many at a time as there are forks. A host that was interrupted before its turn has no end, nor one
 * on which a handler failed that a former process left over.
 */
async function runOnHosts(
  context: RunContext,
  task: Task,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
  isHandler: boolean,
  onceKey?: string,
): Promise<(TaskEnd | undefined)[]> {
  nameTask(context, task, hosts, surroundings);
  const ref = refOf(context, task, surroundings.turn);
  const replaying = isHandler ? [] : hosts.filter(({ record }) => !record.isLive);
  for (const host of replaying) await replayHandled(context, host, surroundings, taskKeyOf(task, surroundings.turn));
  await goLive(context, task, activeOf(hosts), surroundings, isHandler);
  const able = activeOf(hosts);
  const live = able.filter((host) => !isReplayed(task, host, surroundings));
  if (live.length > 0) {
    context.bus.emit({ type: 'task-started', task: ref, hosts: live.map((h) => h.name), isHandler });
  }
  const as: EndedAs = { ...(isHandler && { of: 'handler' }), ...(onceKey !== undefined && { once: onceKey }) };
  const run = async (host: HostRun): Promise<TaskEnd | undefined> => {
    if (context.request.signal.aborted) return leaveOut([host]);
    // What one host does for all, all of them are at.
    const atIt = task.runOnce ? [...context.hosts.values()] : [host];
    const ends = atIt.map(({ answers }) => answers.atWork());
    return runAndRecord(context, task, host, surroundings, as).finally(() => {
      for (const end of ends) end();
    });
  };
  const limit = limitOf(context, task);
  return Promise.all(able.map((host) => limit(() => run(host))));
}

function activeOf(hosts: readonly HostRun[]): HostRun[] {
  return hosts.filter(({ status }) => status === 'active');
}

/** Tells that a task is waited for that another host runs for all. */
function tellingOfOnce({ clock, bus }: RunContext, task: Task): (body: () => Promise<unknown>) => Promise<unknown> {
  const text = `waiting for "${task.name}" on another host (run_once)`;
  return (body) => tellingOfRun(clock, bus)({ text }, body);
}

/** Under a `throttle` a host waits for its turn before it takes a fork, not with it. */
function limitOf(context: RunContext, task: Task): RunContext['limit'] {
  if (task.throttle === undefined) return context.limit;
  const throttle = context.throttles.get(task.id) ?? pLimit(task.throttle);
  context.throttles.set(task.id, throttle);
  return (job) => throttle(() => context.limit(job));
}

/** Gives hosts what a `run_once` task did on another host: its result, its facts, and its failure. */
function shareResult(
  context: RunContext,
  task: Task,
  hosts: readonly HostRun[],
  once: OnceResult,
  { turn }: Surroundings,
): void {
  register(task, hosts, once.registered);
  if (!task.delegateFacts) for (const host of hosts) Object.assign(host.data, once.facts);
  const { outcome, failure } = resultOf(task, once.result);
  if ((outcome !== 'failed' && outcome !== 'unreachable') || failure?.code === 'interrupted') return;
  const message = `run_once, and on ${once.host} it is ${outcome}: ${failure?.message ?? ''}`;
  endWithoutRunning(context, refOf(context, task, turn), hosts, false, {
    outcome: 'failed',
    failure: { code: 'task-failed', message },
  });
}

/** Ends something on hosts on which no task of it is run. */
export function endWithoutRunning(
  context: RunContext,
  task: TaskRef,
  hosts: readonly HostRun[],
  isHandler: boolean,
  end: Pick<TaskResult, 'outcome' | 'message' | 'failure'>,
): void {
  if (hosts.length > 0) context.bus.emit({ type: 'task-started', task, hosts: hosts.map((h) => h.name), isHandler });
  for (const host of hosts) {
    context.bus.emit({ type: 'host-task-started', task, host: host.name });
    recordOutcome(host, task.name, end);
    context.bus.emit({ type: 'host-task-ended', task, host: host.name, durationMs: 0, changes: [], ...end });
  }
}

function register(task: Task, hosts: readonly HostRun[], registered: unknown): void {
  if (task.register === undefined) return;
  for (const host of hosts) host.data[task.register] = registered;
}

/** A former process of the run came to the task's end on the host, and all that is needed of it is known. */
function isReplayed(task: Task, host: HostRun, { turn }: Surroundings): boolean {
  const end = host.record.peek(taskKeyOf(task, turn));
  return end !== undefined && !end.isWithheld;
}

/** Tells of hosts that come to what was not done before; handlers that a failure left over run first. */
async function goLive(
  context: RunContext,
  task: Task,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
  isHandler: boolean,
): Promise<void> {
  const { turn, ...outside } = surroundings;
  const ref = refOf(context, task, turn);
  const key = taskKeyOf(task, turn);
  const tell = (of: readonly HostRun[]): void => {
    for (const { name, record } of of) {
      context.bus.emit({ type: 'host-resumed', host: name, task: ref, replayed: record.replayed });
    }
  };
  const coming = hosts.filter(({ record }) => !record.isLive && record.replayed > 0 && !record.peek(key));
  const late = isHandler ? [] : coming.filter(({ record, notified }) => record.isRetried && notified.size > 0);
  tell(coming.filter((host) => !late.includes(host)));
  if (late.length === 0) return;
  // As at the end of the batch, where they were left over.
  await runHandlers(context, late, { ...outside, leases: [] });
  // The others were told of with their first handler.
  tell(late.filter(({ record }) => !record.isLive));
}

async function runAndRecord(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: Surroundings,
  as: EndedAs,
): Promise<TaskEnd> {
  const { play, turn, leases, coming } = surroundings;
  const ref = refOf(context, task, turn);
  const key = taskKeyOf(task, turn);
  const recorded = host.record.next(key);
  const isQuiet = recorded !== undefined && !recorded.isWithheld;
  if (!isQuiet) context.bus.emit({ type: 'host-task-started', task: ref, host: host.name });
  const isUnwinding = surroundings.unwinding?.has(host) === true;
  const gate = context.plan.begin({ id: task.id, host: host.name, isUnwinding, ...(turn && { turn: turn.key }) });
  const trail = createTrail();
  const run = (beforeEffect: () => Promise<boolean>): Promise<TaskEnd> =>
    runTaskOnHost(context, task, host, {
      play,
      ...(turn && { turn }),
      ...(coming && { coming }),
      beforeEffect,
      beforeStep: () => checkLeases(leases, host),
      trail,
      // What was done already is asked again for its values only, and done no more.
      gate: recorded ? openTaskGate : gate,
      item: '',
    });
  const end = recorded
    ? await replay(context, task, host, recorded, run)
    : await run(() => takeLeases(context, leases, host));
  if (!recorded) keep(task, host, { key, end, trail, as });
  register(task, [host], end.registered);
  if (end.isLeftOut) host.leftOut++;
  const { outcome } = end.result;
  const notified = notifyHandlers(play, task, host, { outcome, hasChangedItem: end.hasChangedItem === true });
  if (!recorded) for (const handler of notified) host.record.notifiedAnew(taskKeyOf(handler));
  const result = gate.ended(resultOf(task, end.result));
  recordOutcome(host, ref.name, result);
  if (!isQuiet) context.bus.emit({ type: 'host-task-ended', task: ref, host: host.name, ...result });
  return end;
}

async function replay(
  context: RunContext,
  task: Task,
  host: HostRun,
  recorded: RecordedEnd,
  run: (beforeEffect: () => Promise<never>) => Promise<TaskEnd>,
): Promise<TaskEnd> {
  await retrace(context, task, host, recorded);
  const end = recorded.isWithheld ? await findValuesAgain(task, recorded, run) : recorded;
  return { ...end, result: { durationMs: 0, ...end.result } };
}

/** Writes down how a task ended, for whoever resumes the run. What was interrupted is not at its end, or not even over. */
function keep(
  task: Task,
  host: HostRun,
  done: { readonly key: string; readonly end: TaskEnd; readonly trail: Trail; readonly as: EndedAs },
): void {
  const { key, end, trail, as } = done;
  const { failure } = end.result;
  if (failure?.code === 'interrupted') return failure.isOpen ? undefined : host.record.dropped(key);
  const isForAll = wasReached(end) && end.result.outcome !== 'failed';
  const { once, ...others } = as;
  host.record.ended(key, recordedOf(task, end, trail), {
    ...others,
    ...(isForAll && once !== undefined && { once }),
  });
}

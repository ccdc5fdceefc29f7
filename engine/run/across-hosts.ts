import pLimit from 'p-limit';
import type { TaskRef, TaskResult } from '../base/events.ts';
import type { Task } from '../language/playbook.ts';
import { nameTask, type RunContext, refOf } from './context.ts';
import { notifyHandlers } from './handlers.ts';
import { type HostRun, leaveOut, recordOutcome } from './host-run.ts';
import type { TaskEnd } from './judgement.ts';
import { checkLeases, takeLeases } from './lease-run.ts';
import { resultOf } from './no-log.ts';
import { createOnceResults, type OnceResult } from './once.ts';
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
}

async function runForAll(
  context: RunContext,
  task: Task,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
  isHandler: boolean,
): Promise<void> {
  const tried = new Set<HostRun>();
  const tryInOrder = async (): Promise<OnceResult | undefined> => {
    for (const host of hosts) {
      tried.add(host);
      const [end] = await runOnHosts(context, task, [host], surroundings, isHandler);
      if (!end) return undefined;
      // Another host may be up; where the task is delegated to would not be for it either.
      const wasReached = end.result.outcome !== 'unreachable' && !end.isLeftOut;
      if (wasReached || task.delegateTo) return { ...end, host: host.name };
    }
    return undefined;
  };
  // What notifies a handler again wants it to run again.
  const results = isHandler ? createOnceResults() : task.runOnce === 'batch' ? surroundings.batch.once : context.once;
  const once = await results.of(`${task.id} ${surroundings.turn?.key ?? ''}`, tryInOrder);
  const others = hosts.filter((host) => !tried.has(host));
  if (once) shareResult(context, task, others, once, surroundings);
}

/** Runs a task on hosts, as many at a time as there are forks. A host that was interrupted before its turn has no end. */
function runOnHosts(
  context: RunContext,
  task: Task,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
  isHandler: boolean,
): Promise<(TaskEnd | undefined)[]> {
  nameTask(context, task, hosts, surroundings);
  const ref = refOf(context, task, surroundings.turn);
  context.bus.emit({ type: 'task-started', task: ref, hosts: hosts.map((h) => h.name), isHandler });
  const run = async (host: HostRun): Promise<TaskEnd | undefined> => {
    if (context.request.signal.aborted) return leaveOut([host]);
    return runAndRecord(context, task, host, surroundings);
  };
  const limit = limitOf(context, task);
  return Promise.all(hosts.map((host) => limit(() => run(host))));
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

async function runAndRecord(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: Surroundings,
): Promise<TaskEnd> {
  const { play, turn, leases } = surroundings;
  const ref = refOf(context, task, turn);
  context.bus.emit({ type: 'host-task-started', task: ref, host: host.name });
  const end = await runTaskOnHost(context, task, host, {
    play,
    ...(turn && { turn }),
    beforeEffect: () => takeLeases(context, leases, host),
    beforeStep: () => checkLeases(leases, host),
  });
  register(task, [host], end.registered);
  if (end.isLeftOut) host.leftOut++;
  const { outcome } = end.result;
  notifyHandlers(play, task, host, { outcome, hasChangedItem: end.hasChangedItem === true });
  const result = resultOf(task, end.result);
  recordOutcome(host, ref.name, result);
  context.bus.emit({ type: 'host-task-ended', task: ref, host: host.name, ...result });
  return end;
}

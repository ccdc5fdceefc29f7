import type { TaskResult } from '../base/events.ts';
import type { Play, Task } from '../language/playbook.ts';
import { type OnceResult, type RunContext, refOf } from './context.ts';
import { type HostRun, leaveOut, recordOutcome } from './host-run.ts';
import type { TaskEnd } from './judgement.ts';
import type { LeaseHold } from './lease-hold.ts';
import { takeLeases } from './lease-run.ts';
import { resultOf } from './no-log.ts';
import { runTaskOnHost } from './task-run.ts';

/** What is around a task in its play. */
export interface Surroundings {
  readonly play: Play;
  /** The leases of the blocks around, outermost first. */
  readonly leases: readonly LeaseHold[];
}

/** Runs one task on all hosts; with `run_once` on the first one of the run, for all. */
export async function runTask(
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
export function endWithoutRunning(
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

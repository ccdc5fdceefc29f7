import { RunbookError } from '../base/errors.ts';
import type { FailureView, Outcome, TaskResult } from '../base/events.ts';
import type { Task } from '../language/playbook.ts';
import type { Scope } from '../language/value.ts';
import { prepareAttempt, type TaskSurroundings } from './attempt-setup.ts';
import { type RunContext, refOf } from './context.ts';
import type { HostRun } from './host-run.ts';
import { type Judged, judge, unknownVerdict, type Verdict, verdictOfError, withFailure } from './judgement.ts';
import { resultOf, shown } from './no-log.ts';

/** What became of a task on a host, and what `register` gets. */
export interface TaskEnd {
  readonly result: TaskResult;
  readonly registered: unknown;
}

/** Runs a task on one host: conditions, loop, attempts. Never rejects: what went wrong is in the result. */
export async function runTaskOnHost(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: TaskSurroundings,
): Promise<TaskEnd> {
  const started = context.clock.now();
  const finish = (end: Verdict): TaskEnd => ({
    ...end,
    result: { ...end.result, durationMs: context.clock.now() - started },
  });
  try {
    if (task.loop === undefined) return finish(await runOnce(context, task, host, surroundings, {}));
    return finish(await runLoop(context, task, host, surroundings));
  } catch (error) {
    const verdict = verdictOfError(error, task);
    // Nobody knows what a task with an unknown condition or argument would have done to the host.
    if (verdict.result.outcome === 'unknown' && task.module.kind === 'resource') host.predicted.record([]);
    return finish(verdict);
  }
}

async function runLoop(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: TaskSurroundings,
): Promise<Verdict> {
  const items = task.loop?.render(context.scopeOf(host, surroundings.play, task));
  if (!Array.isArray(items)) throw new RunbookError('task-failed', `loop must be a list, not ${JSON.stringify(items)}`);
  const ends: TaskEnd[] = [];
  for (const item of items) {
    if (context.request.abort.aborted) break;
    const started = context.clock.now();
    const end = await runOnce(context, task, host, surroundings, { item }).catch((error) =>
      verdictOfError(error, task),
    );
    const timed: TaskEnd = { ...end, result: { ...end.result, durationMs: context.clock.now() - started } };
    ends.push(timed);
    const text = typeof item === 'string' ? item : (JSON.stringify(item) ?? String(item));
    context.bus.emit({
      type: 'item-ended',
      task: refOf(task),
      host: host.name,
      item: shown(task, text),
      ...resultOf(task, timed.result),
    });
    if (timed.result.outcome === 'failed' || timed.result.outcome === 'unreachable') break;
  }
  return combine(ends);
}

/** The worst of a loop's turns is the task's outcome; its changes are all of theirs. */
function combine(ends: readonly TaskEnd[]): Verdict {
  const order: readonly Outcome[] = ['unreachable', 'failed', 'ignored', 'unknown', 'changed', 'ok', 'skipped'];
  const outcome = order.find((o) => ends.some((end) => end.result.outcome === o)) ?? 'skipped';
  const decisive = ends.find((end) => end.result.outcome === outcome)?.result;
  const results = ends.map((end) => end.registered);
  const flags = { changed: outcome === 'changed', failed: outcome === 'failed', skipped: outcome === 'skipped' };
  return {
    result: {
      outcome,
      changes: ends.flatMap((end) => end.result.changes),
      ...(decisive?.message !== undefined && { message: decisive.message }),
      ...(decisive?.failure && { failure: decisive.failure }),
    },
    registered: { ...flags, results },
  };
}

async function runOnce(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: TaskSurroundings,
  extra: Readonly<Record<string, unknown>>,
): Promise<Verdict> {
  const scope = context.scopeOf(host, surroundings.play, task, extra);
  const unmet = task.when.find((condition) => !condition.test(scope));
  if (unmet) {
    return {
      result: { outcome: 'skipped', changes: [], message: `when: ${unmet.text}` },
      registered: { changed: false, failed: false, skipped: true },
    };
  }
  const attempt = prepareAttempt(context, task, host, surroundings, scope, extra);
  // The task's own result stands under its `register` name, and under `result` where there is none.
  const scopeWith = (registered: unknown): Scope =>
    context.scopeOf(host, surroundings.play, task, { ...extra, [task.register ?? 'result']: registered });
  const attempts = task.until.length > 0 || task.retries > 0 ? task.retries + 1 : 1;
  for (let number = 1; ; number++) {
    const judged = await judge(task, attempt, scopeWith);
    const isLast = number >= attempts || context.request.isCheckMode;
    if (judged.isDone || isLast) return finishAttempts(judged, number, context.request.isCheckMode);
    if (context.request.signal.aborted) return interrupted(judged, number);
    await context.clock.sleep(task.delayMs, context.request.abort);
  }
}

/** The user interrupted the run between two attempts. */
function interrupted({ end }: Judged, attempts: number): Verdict {
  const message = `interrupted after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;
  const last = end.result.failure ? `${message}: ${end.result.failure.message}` : message;
  const failure: FailureView = { code: 'interrupted', message: last };
  return {
    result: { ...end.result, outcome: 'failed', failure, attempts },
    registered: withFailure(end.registered, failure),
  };
}

function finishAttempts(judged: Judged, attempts: number, isCheckMode: boolean): Verdict {
  const { end, until } = judged;
  if (judged.isDone || end.result.outcome === 'failed' || end.result.outcome === 'unreachable' || until === undefined) {
    return attempts === 1 ? end : { ...end, result: { ...end.result, attempts } };
  }
  if (isCheckMode) {
    const reason = `would retry until ${until.text}`;
    return unknownVerdict(reason);
  }
  const failure: FailureView = {
    code: 'task-failed',
    message: `after ${attempts} attempts not so: until ${until.text}`,
  };
  return {
    result: { ...end.result, outcome: 'failed', failure, attempts },
    registered: withFailure(end.registered, failure),
  };
}

import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { DiagnosticsError } from '../base/diagnostic.ts';
import { RunbookError } from '../base/errors.ts';
import type { FailureView, Outcome, TaskResult } from '../base/events.ts';
import { partlyKnown, UnknownValueError } from '../base/unknown.ts';
import type { Play, Task } from '../language/playbook.ts';
import type { Expression, Scope } from '../language/value.ts';
import { checkArguments } from '../module/arguments.ts';
import { TaskFailure } from '../module/contract.ts';
import { becomeFor, connectionFor, delegateOf } from './addressing.ts';
import { type AttemptContext, type AttemptResult, attemptAction, attemptResource, changeViews } from './attempt.ts';
import { type RunContext, refOf } from './context.ts';
import { controllerFor } from './controller.ts';
import type { HostRun } from './host-run.ts';
import { createStepRunner, failureView, type StepRunner } from './step-runner.ts';

/** A task that says nothing else has this long on one host. */
const defaultTaskTimeoutMs = 60 * 60_000;

/** What became of a task on a host, and what `register` gets. */
export interface TaskEnd {
  readonly result: TaskResult;
  readonly registered: unknown;
}

/** What a task on a host needs besides the run: its play, and what to do before its first effect. */
export interface TaskSurroundings {
  readonly play: Play;
  /** See {@link AttemptContext.beforeEffect}. Rejects when a lease around the task cannot be taken. */
  readonly beforeEffect: () => Promise<boolean>;
}

/** Runs a task on one host: conditions, loop, attempts. Never rejects: what went wrong is in the result. */
export async function runTaskOnHost(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: TaskSurroundings,
): Promise<TaskEnd> {
  const started = context.clock.now();
  const finish = (end: Omit<TaskEnd, 'result'> & { result: Omit<TaskResult, 'durationMs'> }): TaskEnd => ({
    ...end,
    result: { ...end.result, durationMs: context.clock.now() - started },
  });
  try {
    if (task.loop === undefined) return finish(await runOnce(context, task, host, surroundings, {}));
    return finish(await runLoop(context, task, host, surroundings));
  } catch (error) {
    return finish(endWithError(error, task));
  }
}

type Untimed = Omit<TaskEnd, 'result'> & { result: Omit<TaskResult, 'durationMs'> };

async function runLoop(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: TaskSurroundings,
): Promise<Untimed> {
  const items = task.loop?.render(context.scopeOf(host, surroundings.play, task));
  if (!Array.isArray(items)) throw new RunbookError('task-failed', `loop must be a list, not ${JSON.stringify(items)}`);
  const ends: TaskEnd[] = [];
  for (const item of items) {
    if (context.request.abort.aborted) break;
    const started = context.clock.now();
    const end = await runOnce(context, task, host, surroundings, { item }).catch((error) => endWithError(error, task));
    const timed: TaskEnd = { ...end, result: { ...end.result, durationMs: context.clock.now() - started } };
    ends.push(timed);
    const text = typeof item === 'string' ? item : (JSON.stringify(item) ?? String(item));
    context.bus.emit({ type: 'item-ended', task: refOf(task), host: host.name, item: text, ...timed.result });
    if (timed.result.outcome === 'failed' || timed.result.outcome === 'unreachable') break;
  }
  return combine(ends);
}

/** The worst of a loop's turns is the task's outcome; its changes are all of theirs. */
function combine(ends: readonly TaskEnd[]): Untimed {
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
): Promise<Untimed> {
  const scope = context.scopeOf(host, surroundings.play, task, extra);
  const unmet = task.when.find((condition) => !condition.test(scope));
  if (unmet) {
    return {
      result: { outcome: 'skipped', changes: [], message: `when: ${unmet.text}` },
      registered: { changed: false, failed: false, skipped: true },
    };
  }
  const attempt = await prepareAttempt(context, task, host, surroundings, scope, extra);
  const attempts = task.until.length > 0 || task.retries > 0 ? task.retries + 1 : 1;
  for (let number = 1; ; number++) {
    const judged = await judge(context, task, host, surroundings, extra, attempt);
    const isLast = number >= attempts || context.request.isCheckMode || context.request.signal.aborted;
    if (judged.isDone || isLast) return finishAttempts(judged, number, context.request.isCheckMode);
    await context.clock.sleep(task.delayMs, context.request.abort);
  }
}

interface Judged {
  readonly end: Untimed;
  /** `until` holds, or there is none and the attempt did not fail. */
  readonly isDone: boolean;
  readonly until?: Expression;
}

function finishAttempts(judged: Judged, attempts: number, isCheckMode: boolean): Untimed {
  const { end, until } = judged;
  if (judged.isDone || end.result.outcome === 'failed' || end.result.outcome === 'unreachable' || until === undefined) {
    return attempts === 1 ? end : { ...end, result: { ...end.result, attempts } };
  }
  if (isCheckMode) {
    const reason = `would retry until ${until.text}`;
    return unknownEnd(reason);
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

/** Runs one attempt and applies `changed_when`, `failed_when`, `ignore_errors` and `until` to what it gave. */
async function judge(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: TaskSurroundings,
  extra: Readonly<Record<string, unknown>>,
  attempt: Attempt,
): Promise<Judged> {
  let raw: AttemptResult | undefined;
  let error: unknown;
  try {
    raw = await attempt.make();
  } catch (thrown) {
    if (thrown instanceof UnknownValueError || isUnreachable(thrown) || isLeaseRefusal(thrown)) throw thrown;
    error = thrown;
  }
  // The task's own result stands under its `register` name, and under `result` where there is none.
  const scopeWith = (registered: unknown): Scope =>
    context.scopeOf(host, surroundings.play, task, { ...extra, [task.register ?? 'result']: registered });
  try {
    return judgeResult(task, raw, error, attempt.hasEffects(), scopeWith);
  } catch (thrown) {
    if (thrown instanceof UnknownValueError) return { end: unknownEnd(thrown.message), isDone: true };
    throw thrown;
  }
}

function judgeResult(
  task: Task,
  raw: AttemptResult | undefined,
  error: unknown,
  hasEffects: boolean,
  scopeWith: (registered: unknown) => Scope,
): Judged {
  const known = registeredOf(raw, error);
  const scope = scopeWith(known);
  let failure: FailureView | undefined = error === undefined ? undefined : failureView(error);
  const failing = task.failedWhen?.find((condition) => condition.test(scope));
  // failed_when replaces the module's own judgement, in both directions; a failure without values (a lost file, a bug)
  // stays one.
  if (task.failedWhen && (raw || error instanceof TaskFailure)) {
    failure = failing && { code: 'task-failed', message: `failed_when: ${failing.text}` };
  }
  let outcome: Outcome = failure ? 'failed' : (raw?.outcome ?? (hasEffects ? 'changed' : 'ok'));
  if (task.changedWhen && (outcome === 'ok' || outcome === 'changed')) {
    outcome = task.changedWhen.every((condition) => condition.test(scope)) ? 'changed' : 'ok';
  }
  if (failure && task.ignoreErrors?.render(scope) === true) outcome = 'ignored';
  const registered = outcome === 'changed' || outcome === 'ok' ? withChanged(known, outcome === 'changed', raw) : known;
  const until = unmetUntil(task, scopeWith(registered), error !== undefined);
  return {
    end: {
      result: {
        outcome,
        changes: outcome === 'ok' ? [] : changeViews(raw?.changes ?? []),
        ...(raw?.message !== undefined && { message: raw.message }),
        ...(raw?.unverified !== undefined && { unverified: raw.unverified }),
        ...(failure && { failure }),
      },
      registered: failure ? withFailure(registered, failure) : registered,
    },
    isDone: task.until.length > 0 ? until === undefined : outcome !== 'failed',
    ...(until && { until }),
  };
}

/** The first `until` that does not hold. A failed attempt may lack the fields that it reads: then it does not hold yet. */
function unmetUntil(task: Task, scope: Scope, hasFailed: boolean): Expression | undefined {
  return task.until.find((condition) => {
    try {
      return !condition.test(scope);
    } catch (thrown) {
      if (hasFailed && thrown instanceof DiagnosticsError) return true;
      throw thrown;
    }
  });
}

/** What `register` and `changed_when` see of an attempt. */
function registeredOf(raw: AttemptResult | undefined, error: unknown): Record<string, unknown> {
  if (!raw) {
    const values = error instanceof TaskFailure ? error.values : {};
    return { ...values, changed: false, failed: true, skipped: false, message: failureView(error).message };
  }
  const flags = { failed: false, skipped: false, ...(raw.message !== undefined && { message: raw.message }) };
  if (raw.outcome === 'unknown') return partlyKnown(flags, raw.unknownReason ?? 'unknown');
  const values = { ...raw.values, ...flags, changed: raw.outcome === 'changed' };
  return raw.unknownReason === undefined ? values : partlyKnown(values, raw.unknownReason);
}

function withChanged(known: unknown, changed: boolean, raw: AttemptResult | undefined): unknown {
  const fields = { ...(known as object), changed, failed: false };
  return raw?.unknownReason === undefined ? fields : partlyKnown(fields, raw.unknownReason);
}

function withFailure(known: unknown, failure: FailureView): unknown {
  return { ...(known as object), failed: true, message: failure.message };
}

function unknownEnd(reason: string): Untimed {
  return {
    result: { outcome: 'unknown', changes: [], message: reason },
    registered: partlyKnown({ failed: false, skipped: false }, reason),
  };
}

/** An error outside an attempt: a condition, an argument or the connection. */
function endWithError(error: unknown, task: Task): Untimed {
  if (error instanceof UnknownValueError) return unknownEnd(error.message);
  const failure = failureView(error);
  if (isLeaseRefusal(error)) {
    return {
      result: { outcome: 'skipped', changes: [], message: error.message },
      registered: { skipped: true, failed: true },
    };
  }
  const outcome: Outcome = isUnreachable(error) ? 'unreachable' : 'failed';
  return {
    result: { outcome, changes: [], failure },
    registered: {
      changed: false,
      failed: true,
      skipped: false,
      unreachable: outcome === 'unreachable',
      message: failure.message,
      task: task.name,
    },
  };
}

function isUnreachable(error: unknown): boolean {
  return error instanceof RunbookError && (error.code === 'unreachable' || error.code === 'host-key');
}

/** A lease around a task could not be taken, so the task was not run. The lease's own task has the failure. */
export class LeaseRefusal extends Error {}

function isLeaseRefusal(error: unknown): error is LeaseRefusal {
  return error instanceof LeaseRefusal;
}

/** A task on a host, ready to be tried, if need be several times. */
interface Attempt {
  readonly make: () => Promise<AttemptResult>;
  /** An effect was started by one of the attempts. */
  readonly hasEffects: () => boolean;
}

/** Renders the arguments once and gives what makes an attempt. */
async function prepareAttempt(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: TaskSurroundings,
  scope: Scope,
  extra: Readonly<Record<string, unknown>>,
): Promise<Attempt> {
  const args = renderArguments(context, task, scope);
  const delegate = delegateOf(task, scope);
  const on = delegate === undefined ? host : hostNamed(context, delegate);
  const steps = stepRunnerFor(context, task, host, surroundings.play, scope);
  let hadEffects = false;
  const hasEffects = (): boolean => hadEffects;
  const attemptContext: AttemptContext = {
    isCheckMode: context.request.isCheckMode,
    steps,
    controller: controllerFor(context.store, host.name, foldersOf(context, task), scope),
    predicted: on.predicted,
    id: createHash('sha256')
      .update(`${context.runId} ${task.id} ${host.name} ${JSON.stringify(extra)}`)
      .digest('hex')
      .slice(0, 12),
    beforeEffect: surroundings.beforeEffect,
    onEffect: () => {
      hadEffects = true;
    },
  };
  const { module } = task;
  if (module.kind === 'resource') return { make: () => attemptResource(module, args, attemptContext), hasEffects };
  if (module.kind === 'lease')
    throw new RunbookError('task-failed', `${module.name} is a lease: put it under lease: of a block`);
  const action = {
    host: host.name,
    isCheckMode: context.request.isCheckMode,
    clock: context.clock,
    signal: context.request.abort,
    probe: steps.ask,
    wait: steps.wait,
  };
  const make = async (): Promise<AttemptResult> => {
    const result = await attemptAction(module, args, {
      ...attemptContext,
      host: host.name,
      clock: context.clock,
      action,
    });
    Object.assign(host.data, result.facts);
    return result;
  };
  return { make, hasEffects };
}

/** A task's arguments for one host, checked against the schema with defaults filled in. */
export function renderArguments(context: RunContext, task: Task, scope: Scope): never {
  const args = task.args.render(scope) as Record<string, unknown>;
  const mistakes = checkArguments(context.validator, task.module, args);
  if (mistakes.length > 0) {
    throw new RunbookError('task-failed', `${task.module.name}: ${mistakes.map((m) => m.message).join('; ')}`);
  }
  // From here on only the module that the schema belongs to reads them.
  return args as never;
}

/** The steps of a task on a host (or where it is delegated to), with its events, environment and deadline. */
export function stepRunnerFor(context: RunContext, task: Task, host: HostRun, play: Play, scope: Scope): StepRunner {
  const delegate = delegateOf(task, scope);
  const on = delegate === undefined ? host : hostNamed(context, delegate);
  const where = {
    task: refOf(task),
    host: host.name,
    ...(delegate !== undefined && { delegatedTo: delegate }),
  };
  const environment = Object.assign({}, ...task.environment.map((layer) => layer.render(scope) as object)) as Record<
    string,
    unknown
  >;
  return createStepRunner({
    connect: () => connectionFor(context, on, play, on === host ? scope : undefined),
    become: becomeFor(context, task, on, play, scope),
    environment: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)])),
    deadline: context.clock.now() + (task.timeoutMs ?? defaultTaskTimeoutMs),
    clock: context.clock,
    signal: context.request.abort,
    onStepStarted: (step) =>
      context.bus.emit({ type: 'step-started', ...where, step: task.noLog ? '(hidden by no_log)' : step }),
    onStepEnded: (step, rc, durationMs) =>
      context.bus.emit({
        type: 'step-ended',
        ...where,
        step: task.noLog ? '(hidden by no_log)' : step,
        rc,
        durationMs,
      }),
    onProgress: (text, deadline) =>
      context.bus.emit({ type: 'host-task-progress', ...where, text, deadlineMs: deadline }),
  });
}

function hostNamed(context: RunContext, name: string): HostRun {
  const host = context.hosts.get(name);
  if (host) return host;
  throw new RunbookError('task-failed', `delegate_to: the inventory has no host "${name}"`);
}

function foldersOf(context: RunContext, task: Task): string[] {
  return [dirname(task.range.source.path), dirname(context.request.playbook)];
}

import type { FailureView, Outcome } from '../base/events.ts';
import { addKnown, partlyKnown } from '../base/unknown.ts';
import type { Task } from '../language/playbook.ts';
import type { Expression, Scope, Value } from '../language/value.ts';
import { delegateOf } from './addressing.ts';
import { forgetAnswers } from './ahead/forget.ts';
import { type Attempt, prepareAttempt, type TaskSurroundings } from './attempt-setup.ts';
import { type RunContext, refOf } from './context.ts';
import { noteReach } from './cut-off.ts';
import type { HostRun } from './host-run.ts';
import { tellingOf } from './host-telling.ts';
import { taskKeyOf } from './journal/task-key.ts';
import {
  type Judged,
  judge,
  mayHaveFailed,
  type TaskEnd,
  unknownVerdict,
  type Verdict,
  verdictOfError,
  withFailure,
} from './judgement.ts';
import { type Item, itemsOf, labelOf, pauseBetween, textOf } from './loop.ts';
import { resultOf, shown } from './no-log.ts';
import { createTrail, findValuesAgain, joinTrail, recordedOf, retrace } from './replay.ts';
import { expectPerhaps } from './unknown-effects.ts';

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
    return finish(await runLoop(context, task, task.loop, host, surroundings));
  } catch (error) {
    return finish(await endOfError(error, { context, task, host, surroundings, extra: {} }));
  }
}

interface TaskOnHost {
  readonly context: RunContext;
  readonly task: Task;
  readonly host: HostRun;
  readonly surroundings: TaskSurroundings;
  /** What the turn of its loop brings. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** An error outside an attempt: `ignore_errors` holds for conditions and arguments, too. */
async function endOfError(error: unknown, of: TaskOnHost): Promise<Verdict> {
  const { context, task, host, surroundings, extra } = of;
  const scope = (): Scope => context.scopeOf(host, surroundings, task, extra);
  const verdict = verdictOfError(error, task);
  if (verdict.result.outcome === 'unreachable') noteReach(host, 'unreachable', delegateOf(task, scope()) !== undefined);
  // Nobody knows what a task with an unknown condition or argument would have done to the host.
  if (verdict.result.outcome === 'unknown') {
    await expectPerhaps({ ...of, scope: scope() }, verdict.result.message ?? '');
  }
  try {
    return withIgnored(context, verdict, task, scope);
  } catch {
    return verdict;
  }
}

/** What `ignore_errors` makes of a failure, or of one that may be. */
function withIgnored(context: RunContext, verdict: Verdict, task: Task, scope: () => Scope): Verdict {
  const { result } = verdict;
  if (context.request.isCheckMode && !result.failure && task.ignoreErrors?.render(scope()) === true) {
    return mayHaveFailed(verdict);
  }
  // A host that is not as planned stops, whatever else the task may put up with.
  if (result.failure?.code === 'state-moved') return verdict;
  if (result.outcome !== 'failed' || task.ignoreErrors?.render(scope()) !== true) return verdict;
  return { ...verdict, result: { ...result, outcome: 'ignored' } };
}

async function runLoop(
  context: RunContext,
  task: Task,
  loop: Value,
  host: HostRun,
  surroundings: TaskSurroundings,
): Promise<Verdict> {
  const items = itemsOf(loop, task, context.scopeOf(host, surroundings, task), context.key);
  if ('unmet' in items) {
    surroundings.gate.decided(items.unmet.text);
    return skipped(items.unmet);
  }
  const ends: TaskEnd[] = [];
  for (const [i, item] of items.entries()) {
    const end = await runOrReplayItem(context, task, host, surroundings, item, i);
    ends.push(end);
    const { outcome, failure } = end.result;
    if (outcome === 'failed' || outcome === 'unreachable' || failure?.code === 'interrupted') break;
  }
  const all = combine(ends);
  const isUncertain = ends.some((end) => end.mayHaveFailed) && !ends.some((end) => end.result.failure);
  return isUncertain ? mayHaveFailed(all) : all;
}

/** One turn of a loop, unless a former process of the run came to its end. */
async function runOrReplayItem(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: TaskSurroundings,
  item: Item,
  number: number,
): Promise<TaskEnd> {
  const key = taskKeyOf(task, surroundings.turn);
  const { identity } = item;
  const recorded = host.record.item(key, identity);
  const trail = createTrail();
  const gate = surroundings.gate.item(number, item.value);
  const inner = { ...surroundings, trail, item: String(number), identity, gate };
  const run = (of: TaskSurroundings): Promise<TaskEnd> => runItem(context, task, host, of, item, number > 0);
  if (recorded) {
    joinTrail(surroundings.trail, await retrace(context, task, host, recorded));
    const end = recorded.isWithheld
      ? await findValuesAgain(task, recorded, (beforeEffect) => run({ ...inner, beforeEffect }))
      : recorded;
    gate.ended(end.result);
    return { ...end, result: { ...end.result, durationMs: 0 } };
  }
  const end = await run(inner);
  gate.ended(end.result);
  joinTrail(surroundings.trail, trail);
  if (end.result.failure?.code !== 'interrupted') host.record.itemEnded(key, identity, recordedOf(task, end, trail));
  return end;
}

/** One turn of a loop, with its event. */
async function runItem(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: TaskSurroundings,
  item: Item,
  isPausedBefore: boolean,
): Promise<TaskEnd> {
  const { loopControl } = task;
  let text = textOf(item.value);
  let started = context.clock.now();
  const itemScope = (): Scope => context.scopeOf(host, surroundings, task, item.variables);
  const run = async (): Promise<Verdict> => {
    if (isPausedBefore && loopControl.pauseMs > 0) {
      await pauseBetween(context, loopControl, tellingOf(context, task, host.name, surroundings.turn));
      forgetAnswers(context, { task, host });
    }
    started = context.clock.now();
    text = labelOf(item, loopControl, itemScope);
    return runOnce(context, task, host, surroundings, item.variables);
  };
  const verdict = await run().catch((error) =>
    endOfError(error, { context, task, host, surroundings, extra: item.variables }),
  );
  // Who loops over the results asks what each of them is of.
  addKnown(verdict.registered, item.variables);
  const end = { ...verdict, result: { ...verdict.result, durationMs: context.clock.now() - started } };
  context.bus.emit({
    type: 'item-ended',
    task: refOf(context, task, surroundings.turn),
    host: host.name,
    item: shown(task, text),
    ...resultOf(task, end.result),
  });
  return end;
}

/** The worst of a loop's turns is the task's outcome; its changes are all of theirs. */
function combine(ends: readonly TaskEnd[]): Verdict {
  const order: readonly Outcome[] = ['unreachable', 'failed', 'changed', 'unknown', 'ignored', 'ok', 'skipped'];
  const has = (outcome: Outcome): boolean => ends.some((end) => end.result.outcome === outcome);
  const outcome = order.find(has) ?? 'skipped';
  const decisive =
    ends.find((end) => end.result.failure?.code === 'interrupted') ??
    ends.find((end) => end.result.outcome === outcome);
  const { message, failure } = decisive?.result ?? {};
  const unverified = ends.find((end) => end.result.unverified !== undefined)?.result.unverified;
  return {
    result: {
      outcome,
      changes: ends.flatMap((end) => end.result.changes),
      ...(message !== undefined && { message }),
      ...(unverified !== undefined && { unverified }),
      ...(failure && { failure }),
    },
    registered: registeredOfLoop(ends, outcome),
    facts: Object.assign({}, ...ends.map((end) => end.facts)) as Record<string, unknown>,
    hasChangedItem: has('changed'),
    isLeftOut: ends.some((end) => end.isLeftOut),
  };
}

function isSkipped({ result }: TaskEnd): boolean {
  return result.outcome === 'skipped';
}

function registeredOfLoop(ends: readonly TaskEnd[], outcome: Outcome): Record<string, unknown> {
  const failed = ends.some((end) => end.result.failure !== undefined);
  const results = ends.map((end) => end.registered);
  // Turns that may be skipped tell nothing where all others are.
  const isSkipKnown = ends.some((end) => end.result.outcome !== 'unknown' && !isSkipped(end));
  const known =
    outcome === 'unknown' && !isSkipKnown ? { failed, results } : { failed, skipped: outcome === 'skipped', results };
  if (ends.some((end) => end.result.outcome === 'changed')) return { ...known, changed: true };
  const unknown = ends.find((end) => end.result.outcome === 'unknown');
  return unknown ? partlyKnown(known, unknown.result.message ?? 'unknown') : { ...known, changed: false };
}

async function runOnce(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: TaskSurroundings,
  extra: Readonly<Record<string, unknown>>,
): Promise<Verdict> {
  const scope = context.scopeOf(host, surroundings, task, extra);
  const unmet = task.when.find((condition) => !condition.test(scope));
  surroundings.gate.decided(unmet?.text);
  if (unmet) return skipped(unmet);
  const attempt = prepareAttempt(context, task, host, surroundings, scope);
  // The task's own result stands under its `register` name, and under `result` where there is none.
  const scopeWith = (registered: unknown): Scope =>
    context.scopeOf(host, surroundings, task, { ...extra, [task.register ?? 'result']: registered });
  const finish = (verdict: Verdict): Verdict =>
    withIgnored(context, verdict, task, () => scopeWith(verdict.registered));
  const attempts = task.until.length > 0 || task.retries > 0 ? task.retries + 1 : 1;
  const { record } = host;
  const { turn, identity = '' } = surroundings;
  const key = taskKeyOf(task, turn);
  for (let number = record.attemptsMade(key, identity) + 1; ; number++) {
    const judged = await judge(task, attempt, scopeWith);
    if (isChange(judged.end.result.outcome, task, attempt)) attempt.invalidateFacts();
    // What may be running still is not begun again.
    const isOpen = judged.end.result.failure?.isOpen === true;
    const isLast = number >= attempts || isOpen || context.request.isCheckMode;
    if (judged.isDone || isLast) return finish(finishAttempts(judged, number, context.request.isCheckMode));
    if (context.request.signal.aborted) return finish(cutShort(judged, number, 'interrupted'));
    if (context.clock.now() + task.delayMs >= attempt.deadline()) return finish(cutShort(judged, number, 'timeout'));
    record.attemptMade(key, identity);
    forgetAnswers(context, { task, host });
    const wait = {
      text: `waiting before attempt ${number + 1} of ${attempts}${reasonToRetry(judged)}`,
      deadlineMs: context.clock.now() + task.delayMs,
    };
    await tellingOf(
      context,
      task,
      host.name,
      surroundings.turn,
    )(wait, () => context.clock.sleep(task.delayMs, context.request.abort));
  }
}

function reasonToRetry({ end, until }: Judged): string {
  const message = end.result.failure?.message.split('\n', 1)[0];
  if (message !== undefined) return ` (${message})`;
  return until === undefined ? '' : ` (until ${until.text})`;
}

/** The host may be another now, or in check mode would be. What `changed_when` calls no change is none. */
function isChange(outcome: Outcome, task: Task, attempt: Attempt): boolean {
  if (outcome === 'changed' || outcome === 'unknown') return true;
  return attempt.hasEffects() && !(outcome === 'ok' && task.changedWhen);
}

function skipped(unmet: Expression): Verdict {
  return {
    result: { outcome: 'skipped', changes: [], message: `when: ${unmet.text}` },
    registered: { changed: false, failed: false, skipped: true },
  };
}

/** There is no time for another attempt: the user interrupted the run, or the task's deadline is near. */
function cutShort({ end, until }: Judged, attempts: number, code: 'interrupted' | 'timeout'): Verdict {
  const why = code === 'timeout' ? 'no time is left for another attempt' : 'interrupted';
  const last = end.result.failure?.message ?? (until && `not so: until ${until.text}`) ?? '';
  const failure: FailureView = { code, message: `${why} (${attempts} made): ${last}` };
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

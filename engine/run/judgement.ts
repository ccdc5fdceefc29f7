import { DiagnosticsError } from '../base/diagnostic.ts';
import { RunbookError } from '../base/errors.ts';
import type { FailureView, Outcome, TaskResult } from '../base/events.ts';
import { partlyKnown, UnknownValueError } from '../base/unknown.ts';
import type { Task } from '../language/playbook.ts';
import type { Expression, Scope } from '../language/value.ts';
import { TaskFailure } from '../module/contract.ts';
import { type AttemptResult, changeViews } from './attempt.ts';
import type { Attempt } from './attempt-setup.ts';
import { CutOffError } from './cut-off.ts';
import { failureView } from './step-runner.ts';

/** How a task ended, and what `register` gets; who asked for it knows how long it took. */
export interface Verdict {
  readonly result: Omit<TaskResult, 'durationMs'>;
  readonly registered: object;
  /** Variables that an action set on the host. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** A turn of the task's loop changed the host, however the others ended. */
  readonly hasChangedItem?: boolean;
  /** See {@link mayHaveFailed}. */
  readonly mayHaveFailed?: boolean;
  /** It, or a turn of its loop, was not run because its host is cut off. */
  readonly isLeftOut?: boolean;
}

/** What became of a task on a host. */
export interface TaskEnd extends Verdict {
  readonly result: TaskResult;
}

/** One attempt, judged. */
export interface Judged {
  readonly end: Verdict;
  /** `until` holds, or there is none and the attempt did not fail. */
  readonly isDone: boolean;
  readonly until?: Expression;
}

/** Runs one attempt and applies `changed_when`, `failed_when` and `until` to what it gave. */
export async function judge(task: Task, attempt: Attempt, scopeWith: (registered: unknown) => Scope): Promise<Judged> {
  let raw: AttemptResult | undefined;
  let error: unknown;
  try {
    raw = await attempt.make();
  } catch (thrown) {
    if (thrown instanceof UnknownValueError || isUnreachable(thrown) || isLeaseRefusal(thrown) || isMoved(thrown)) {
      throw thrown;
    }
    error = thrown;
  }
  try {
    return judgeResult(task, raw, error, attempt.hasEffects(), scopeWith);
  } catch (thrown) {
    if (thrown instanceof UnknownValueError) {
      const known = task.failedWhen ? { skipped: false } : { failed: false, skipped: false };
      return { end: unknownVerdict(thrown.message, known), isDone: true };
    }
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
      ...(raw?.facts && { facts: raw.facts }),
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

function withChanged(known: object, changed: boolean, raw: AttemptResult | undefined): object {
  const fields = { ...known, changed, failed: false };
  return raw?.unknownReason === undefined ? fields : partlyKnown(fields, raw.unknownReason);
}

/** A registered result, with a failure in it. */
export function withFailure(known: object, failure: FailureView): object {
  return { ...known, failed: true, message: failure.message };
}

/** The verdict `unknown`: check mode cannot tell, for this reason. Of its result only `known` can be read. */
export function unknownVerdict(
  reason: string,
  known: Readonly<Record<string, unknown>> = { failed: false, skipped: false },
): Verdict {
  return { result: { outcome: 'unknown', changes: [], message: reason }, registered: partlyKnown(known, reason) };
}

/**
 * What check mode registers of a task that may fail and go on: whether it does is a result of its effect. Everywhere else
 * check mode takes effects to succeed, because what comes after a failure does not run.
 */
export function mayHaveFailed(verdict: Verdict): Verdict {
  const { result, registered } = verdict;
  if (result.outcome !== 'changed' && result.outcome !== 'unknown') return verdict;
  const { failed: _, ...known } = registered as Readonly<Record<string, unknown>>;
  const reason = result.message ?? 'it is a result of an effect that check mode does not run';
  return { ...verdict, registered: partlyKnown(known, reason), mayHaveFailed: true };
}

/** What may be left out, with its name. */
interface Conditional {
  readonly name: string;
  readonly when?: Task['when'];
  readonly loop?: Task['loop'] | undefined;
}

/** An error outside an attempt: a condition, an argument or the connection. */
export function verdictOfError(error: unknown, task: Conditional): Verdict {
  if (error instanceof UnknownValueError) {
    // It may be the condition that is unknown, or whether the list has an item.
    const maySkip = (task.when ?? []).length > 0 || task.loop !== undefined;
    return unknownVerdict(error.message, maySkip ? { failed: false } : undefined);
  }
  if (error instanceof CutOffError) {
    return {
      result: { outcome: 'skipped', changes: [], message: error.told },
      registered: { changed: false, failed: false, skipped: true },
      isLeftOut: true,
    };
  }
  const failure = failureView(error);
  if (isLeaseRefusal(error)) {
    return {
      result: { outcome: 'skipped', changes: [], message: error.message },
      registered: { skipped: true, failed: true },
    };
  }
  const outcome = outcomeOf(failure);
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

/** The outcome of a task that had a failure. */
export function outcomeOf({ code }: Pick<FailureView, 'code'>): 'failed' | 'unreachable' {
  return code === 'unreachable' || code === 'host-key' ? 'unreachable' : 'failed';
}

function isUnreachable(error: unknown): boolean {
  return error instanceof RunbookError && outcomeOf(error) === 'unreachable';
}

/** The host is not as the plan says: nothing was tried, so there is nothing to judge. */
function isMoved(error: unknown): boolean {
  return error instanceof RunbookError && error.code === 'state-moved';
}

/** A lease around a task could not be taken, so the task was not run. The lease's own task has the failure. */
export class LeaseRefusal extends Error {}

function isLeaseRefusal(error: unknown): error is LeaseRefusal {
  return error instanceof LeaseRefusal;
}

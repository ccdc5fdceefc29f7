import type { FailureView, TaskResult } from '../base/events.ts';
import type { Task } from '../language/playbook.ts';

const hidden = '(hidden by no_log)';

/** A text or value of a task as its events may carry it: under `no_log`, that there is one and no more. */
export function shown<T>(task: Task, value: T): T | string {
  return task.noLog ? hidden : value;
}

/** A task's failure as its events may carry it. */
export function failureOf(task: Task, failure: FailureView): FailureView {
  if (!task.noLog) return failure;
  return { code: failure.code, message: hidden, ...(failure.isOpen && { isOpen: true }) };
}

/** A task's result as its events may carry it: under `no_log`, the outcome and what differs, but no value and no message. */
export function resultOf<R extends Omit<TaskResult, 'durationMs'>>(task: Task, result: R): R {
  if (!task.noLog) return result;
  return {
    ...result,
    changes: result.changes.map(({ path }) => ({ path, before: hidden, after: hidden })),
    ...(result.message !== undefined && { message: hidden }),
    ...(result.unverified !== undefined && { unverified: hidden }),
    ...(result.failure && { failure: failureOf(task, result.failure) }),
  };
}

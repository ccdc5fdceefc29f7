import type { WaitView } from '../base/events.ts';
import type { Task } from '../language/playbook.ts';
import { type RunContext, refOf } from './context.ts';
import { shown } from './no-log.ts';
import type { Turn } from './surroundings.ts';
import { createTelling, type Telling } from './telling.ts';

/** Tells what a task waits for on a host; under `no_log`, that it waits. */
export function tellerOf(
  context: RunContext,
  task: Task,
  host: string,
  turn: Turn | undefined,
  delegate?: string,
): (wait: WaitView) => void {
  const where = { task: refOf(context, task, turn), host, ...(delegate !== undefined && { delegatedTo: delegate }) };
  return (wait) =>
    context.bus.emit({ type: 'host-task-progress', ...where, ...wait, text: wait.text && shown(task, wait.text) });
}

/** Tells what a task waits for on a host while something takes its time. */
export function tellingOf(context: RunContext, task: Task, host: string, turn: Turn | undefined): Telling {
  return createTelling(context.clock, tellerOf(context, task, host, turn));
}

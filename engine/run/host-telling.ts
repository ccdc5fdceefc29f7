import type { EventBus, WaitView } from '../base/events.ts';
import { createTelling, type Telling } from '../base/telling.ts';
import type { Task } from '../language/playbook.ts';
import { type RunContext, refOf } from './context.ts';
import { shown } from './no-log.ts';
import type { Turn } from './surroundings.ts';

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

/** Tells what the run waits for, no host in particular. */
export function tellingOfRun(clock: { now(): number }, bus: Pick<EventBus, 'emit'>): Telling {
  return (wait, body) => {
    const { text } = wait;
    const tell = (view: WaitView): void =>
      bus.emit(view.text === '' ? { type: 'run-wait-over', text } : { type: 'run-waiting', ...view, text });
    return createTelling(clock, tell)(wait, body);
  };
}

/** Tells what a task waits for on a host while something takes its time. */
export function tellingOf(context: RunContext, task: Task, host: string, turn: Turn | undefined): Telling {
  return createTelling(context.clock, tellerOf(context, task, host, turn));
}

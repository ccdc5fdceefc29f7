import type { Play, Task } from '../../language/playbook.ts';
import type { Become } from '../../transport/transport.ts';
import { becomeFor } from '../addressing.ts';
import { createQuestion, type Question } from '../ahead/ask.ts';
import type { RunContext } from '../context.ts';
import { factsProbe } from '../facts.ts';
import type { HostRun } from '../host-run.ts';

/** How long a host may take to tell its facts. */
const factsTimeoutMs = 60_000;

/** What a host is asked to gather its facts. */
export function factsQuestion(become: Become | undefined): Question {
  return createQuestion('facts', { script: factsProbe.script, timeoutMs: factsTimeoutMs }, become, {});
}

/**
 * Who gathers facts for a task: root where the task is root, since root sees most and the task can then be asked for with
 * the same script; else the user who logs in, which is undefined.
 */
export function gathererFor(
  context: RunContext,
  host: HostRun,
  play: Play,
  task: Task | undefined,
): Become | undefined {
  if (!task || task.delegateTo) return undefined;
  try {
    const become = becomeFor(context, task, host, play, context.scopeOf(host, { play }, task));
    return become?.user === 'root' ? become : undefined;
  } catch {
    // It is decided by a fact, or is a mistake: then the task fails, not the gathering.
    return undefined;
  }
}

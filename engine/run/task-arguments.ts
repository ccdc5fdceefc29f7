import { RunbookError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import type { Task } from '../language/playbook.ts';
import type { Scope } from '../language/value.ts';
import { checkArguments } from '../module/arguments.ts';
import type { Environment } from '../transport/transport.ts';
import type { RunContext } from './context.ts';

/** A task's arguments for one host, checked against the schema with defaults filled in. */
export function renderArguments(context: RunContext, task: Task, scope: Scope): never {
  const args = task.args.render(scope) as Record<string, unknown>;
  const mistakes = checkArguments(context.validator, task.module, args);
  if (mistakes.length > 0) {
    const hint = mistakes.length === 1 ? mistakes[0]?.hint : undefined;
    throw new RunbookError('task-failed', `${task.module.name}: ${mistakes.map((m) => m.message).join('; ')}`, {
      hint,
    });
  }
  // From here on only the module that the schema belongs to reads them.
  return args as never;
}

/** The environment of a task's commands. `null` takes back what a layer around sets. */
export function environmentOf(task: Task, scope: Scope): Environment {
  const layers = task.environment.map((layer) => layer.render(scope) as object);
  const all: readonly [string, unknown][] = Object.entries(Object.assign({}, ...layers) as object);
  return Object.fromEntries(
    all.flatMap(([name, value]) => (value === null ? [] : [[name, value instanceof Secret ? value : String(value)]])),
  );
}

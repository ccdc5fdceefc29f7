import { dirname } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { errorMessage } from '../base/errors.ts';
import { nodesOf } from '../language/nodes.ts';
import type { Playbook, Task } from '../language/playbook.ts';
import type { Value } from '../language/value.ts';
import { findFile } from './controller.ts';
import { tasksOf } from './selection.ts';

/**
 * The files of the controller that modules name literally and that are not there. They are a doubt only where a task may
 * make them first, or a condition keep the task from running.
 */
export async function checkControllerFiles(
  { plays }: Playbook,
  playbookDirectory: string,
  canBeMade: boolean,
): Promise<readonly Diagnostic[]> {
  const tasks = plays.flatMap((play) => [...tasksOf(nodesOf(play))]);
  const mayBeMade = canBeMade || tasks.some(({ delegateTo }) => delegateTo);
  const found = tasks.flatMap((task) =>
    namedFiles(task).map(async ({ name, value }): Promise<readonly Diagnostic[]> => {
      const message = await findFile(name, 'files', foldersOf(task, playbookDirectory)).then(
        () => undefined,
        errorMessage,
      );
      const severity = mayBeMade || task.when.length > 0 ? 'warning' : 'error';
      return message === undefined ? [] : [{ severity, rule: 'controller-file', message, range: value.range }];
    }),
  );
  return (await Promise.all(found)).flat();
}

/** The files of the controller that tasks name literally and that are there. */
export async function findControllerFiles({ plays }: Playbook, playbookDirectory: string): Promise<readonly string[]> {
  const tasks = plays.flatMap((play) => [...tasksOf(nodesOf(play))]);
  const found = tasks.flatMap((task) =>
    namedFiles(task).map(({ name }) =>
      findFile(name, 'files', foldersOf(task, playbookDirectory)).catch(() => undefined),
    ),
  );
  return (await Promise.all(found)).filter((path) => path !== undefined);
}

function foldersOf(task: Task, playbookDirectory: string): readonly string[] {
  return [...task.folders, dirname(task.range.source.path), playbookDirectory];
}

function namedFiles({ module, args }: Task): readonly { readonly name: string; readonly value: Value }[] {
  if (module.kind !== 'resource' || !module.controllerFiles) return [];
  const { parts = [] } = args;
  const written = args.written as Readonly<Record<string, unknown>>;
  return module.controllerFiles(written).flatMap((argument) => {
    const name = written[argument];
    const value = parts[Object.keys(written).indexOf(argument)];
    return typeof name === 'string' && value?.isLiteral ? [{ name, value }] : [];
  });
}

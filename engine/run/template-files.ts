import { dirname, relative } from 'node:path';
import { type Diagnostic, DiagnosticsError } from '../base/diagnostic.ts';
import { errorMessage, fileProblem } from '../base/errors.ts';
import type { TemplateFile } from '../language/check/world.ts';
import { createKeylessOpener, type FileOpener } from '../language/encrypted-files.ts';
import { nodesOf } from '../language/nodes.ts';
import type { Playbook, Task } from '../language/playbook.ts';
import { compileTemplate } from '../language/template.ts';
import type { Value } from '../language/value.ts';
import { findFile } from './controller.ts';
import { tasksOf } from './selection.ts';

/** The template files that tasks name literally, and what is wrong with them. */
export interface TemplateFiles {
  readonly of: (task: Task) => readonly TemplateFile[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Finds, reads and compiles every template file that a playbook names literally, each once. */
export async function readTemplateFiles(
  { plays }: Playbook,
  playbookDirectory: string,
  { open }: FileOpener = createKeylessOpener(),
): Promise<TemplateFiles> {
  const found = new Map<Task, readonly TemplateFile[]>();
  const diagnostics = new Set<Diagnostic>();
  const files = new Map<string, Promise<TemplateFile>>();
  const read = (path: string): Promise<TemplateFile> => {
    const known = files.get(path) ?? readTemplate(path, open);
    files.set(path, known);
    return known;
  };
  const look = async (task: Task): Promise<void> => {
    const folders = [...task.folders, dirname(task.range.source.path), playbookDirectory];
    for (const { name, value } of namedTemplates(task)) {
      try {
        found.set(task, [...(found.get(task) ?? []), await read(await findFile(name, 'templates', folders))]);
      } catch (error) {
        const message = errorMessage(error);
        const missing: Diagnostic = { severity: 'error', rule: 'template-file', message, range: value.range };
        for (const mistake of error instanceof DiagnosticsError ? error.diagnostics : [missing])
          diagnostics.add(mistake);
      }
    }
  };
  const tasks = plays.flatMap((play) => [...tasksOf(nodesOf(play))]);
  await Promise.all(tasks.map(look));
  return { of: (task) => found.get(task) ?? [], diagnostics: [...diagnostics] };
}

/** The arguments of `format: 'template'` that are written out. */
function namedTemplates({ module, args }: Task): readonly { readonly name: string; readonly value: Value }[] {
  const { parts = [], written } = args;
  if (typeof written !== 'object' || written === null) return [];
  return Object.entries(written).flatMap(([argument, name]) => {
    const schema = Object.hasOwn(module.schema.properties, argument) ? module.schema.properties[argument] : undefined;
    const value = parts[Object.keys(written).indexOf(argument)];
    return schema?.format === 'template' && typeof name === 'string' && value?.isLiteral ? [{ name, value }] : [];
  });
}

async function readTemplate(path: string, open: FileOpener['open']): Promise<TemplateFile> {
  const shown = relative('', path);
  const source = await open(path, shown.startsWith('..') ? path : shown).catch((error) => {
    throw new Error(`cannot read the template ${path}: ${fileProblem(error)}`);
  });
  const { references } = compileTemplate(source);
  return { source, references };
}

import { readFile as readFromDisk } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Diagnostic, sortDiagnostics, throwOnErrors } from '../base/diagnostic.ts';
import { fileProblem, RunbookError } from '../base/errors.ts';
import { createValidator, type Validator } from '../module/arguments.ts';
import type { Registry } from '../module/registry.ts';
import { type CompileCache, createCompileCache } from './compile-cache.ts';
import { type LoadContext, report } from './load-context.ts';
import { loadPlay } from './load-play.ts';
import type { Playbook } from './playbook.ts';
import { describeNode, parseYaml, type YamlFile, type YamlNode } from './yaml.ts';

/** What loading a playbook needs. */
export interface LoadOptions {
  readonly registry: Registry;
  readonly validator?: Validator;
  readonly cache?: CompileCache;
  /** Default: from the disk. */
  readonly readFile?: (path: string) => Promise<string>;
}

/**
 * Loads a playbook with everything that it imports and checks all that can be known without a host: syntax, keywords,
 * modules, the arguments that are written out, names of handlers, templates and expressions. Raises a DiagnosticsError
 * with all mistakes, or `file-unreadable` when there is no playbook. `diagnostics` are warnings.
 */
export async function loadPlaybook(
  path: string,
  options: LoadOptions,
): Promise<{ readonly playbook: Playbook; readonly diagnostics: readonly Diagnostic[] }> {
  const files = await readFiles(path, options.readFile ?? ((file) => readFromDisk(file, 'utf8')));
  const main = files.get(path);
  if (main === undefined || typeof main === 'string') {
    throw new RunbookError('file-unreadable', `cannot read the playbook ${path}: ${main ?? 'it is not there'}`);
  }
  const context: LoadContext = {
    registry: options.registry,
    validator: options.validator ?? createValidator(),
    cache: options.cache ?? createCompileCache(),
    diagnostics: [...main.diagnostics],
    files,
    notified: [],
  };
  const plays = playsOf(context, main).flatMap((node, i) => loadPlay(context, node, `play-${i + 1}`) ?? []);
  const diagnostics = sortDiagnostics(unique(context.diagnostics));
  throwOnErrors(diagnostics);
  return { playbook: { source: main.source, plays }, diagnostics };
}

function playsOf(context: LoadContext, file: YamlFile): readonly YamlNode[] {
  const { root, source } = file;
  if (root?.kind === 'list' && root.items.length > 0) return root.items;
  if (file.diagnostics.length > 0) return [];
  const range = root?.range ?? { source, start: 0, end: 0 };
  const hint = 'start each play with "- hosts: …"';
  if (!root || root.kind === 'list') report(context, range, 'the playbook is empty', hint);
  else
    report(
      context,
      { ...range, end: range.start + 1 },
      `a playbook is a list of plays, not ${describeNode(root)}`,
      hint,
    );
  return [];
}

/** Reads a playbook and every file that it names, and those that these name, each once. */
async function readFiles(
  path: string,
  readFile: (path: string) => Promise<string>,
): Promise<Map<string, YamlFile | string>> {
  const files = new Map<string, YamlFile | string>();
  let wanted = [path];
  while (wanted.length > 0) {
    const read = await Promise.all(wanted.map((file) => readYaml(file, readFile)));
    for (const [i, file] of wanted.entries()) files.set(file, read[i] ?? 'it was not read');
    const named = read.flatMap((file) => (typeof file === 'string' || !file.root ? [] : [...namedFiles(file.root)]));
    wanted = [...new Set(named)].filter((file) => !files.has(file));
  }
  return files;
}

async function readYaml(path: string, readFile: (path: string) => Promise<string>): Promise<YamlFile | string> {
  try {
    return parseYaml({ path, text: await readFile(path) });
  } catch (error) {
    return fileProblem(error);
  }
}

/** The files under `import_tasks` and `vars_files`, beside the file that names them. */
function* namedFiles(node: YamlNode): Generator<string> {
  if (node.kind === 'list') for (const item of node.items) yield* namedFiles(item);
  if (node.kind !== 'map') return;
  for (const { key, value } of node.entries) {
    if (key !== 'import_tasks' && key !== 'vars_files') {
      yield* namedFiles(value);
      continue;
    }
    for (const item of value.kind === 'list' ? value.items : [value]) {
      const isPath = item.kind === 'scalar' && typeof item.value === 'string' && !item.value.includes('{{');
      if (isPath) yield join(dirname(item.range.source.path), String(item.value));
    }
  }
}

/** A file that is imported twice has its mistakes once. */
function unique(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const known = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    const { range, message } = diagnostic;
    known.set(`${range?.source.path ?? ''}:${range?.start ?? 0}:${message}`, diagnostic);
  }
  return [...known.values()];
}

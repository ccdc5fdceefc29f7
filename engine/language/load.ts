import { type Diagnostic, sortDiagnostics, throwOnErrors } from '../base/diagnostic.ts';
import { RunbookError } from '../base/errors.ts';
import { createValidator, type Validator } from '../module/arguments.ts';
import type { Registry } from '../module/registry.ts';
import { type CompileCache, createCompileCache } from './compile-cache.ts';
import { type LoadContext, report } from './load-context.ts';
import { loadPlay } from './load-play.ts';
import type { Playbook } from './playbook.ts';
import { readSources, type SourceReader } from './read-sources.ts';
import { describeNode, type YamlFile, type YamlNode } from './yaml.ts';

/** What loading a playbook needs. */
export interface LoadOptions extends SourceReader {
  readonly registry: Registry;
  readonly validator?: Validator;
  readonly cache?: CompileCache;
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
  const sources = await readSources(path, options);
  const main = sources.files.get(path);
  if (main === undefined || typeof main === 'string') {
    throw new RunbookError('file-unreadable', `cannot read the playbook ${path}: ${main ?? 'it is not there'}`);
  }
  const context: LoadContext = {
    registry: options.registry,
    validator: options.validator ?? createValidator(),
    cache: options.cache ?? createCompileCache(),
    diagnostics: [...main.diagnostics],
    sources,
    found: { notifications: [], includedFiles: 0 },
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

/** A file that is imported twice has its mistakes once. */
function unique(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const known = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    const { range, message } = diagnostic;
    known.set(`${range?.source.path ?? ''}:${range?.start ?? 0}:${message}`, diagnostic);
  }
  return [...known.values()];
}

import { type Diagnostic, DiagnosticsError, sortDiagnostics } from '../base/diagnostic.ts';
import { RunbookError } from '../base/errors.ts';
import { createValidator, type Validator } from '../module/arguments.ts';
import type { Registry } from '../module/registry.ts';
import { type CompileCache, createCompileCache } from './compile-cache.ts';
import { foundNothing, type LoadContext } from './load/context.ts';
import { loadPlays } from './load/plays.ts';
import { readSources, type SourceReader, type Sources } from './load/read-sources.ts';
import type { Playbook } from './playbook.ts';

/** What loading a playbook needs. */
export interface LoadOptions extends SourceReader {
  readonly registry: Registry;
  readonly validator?: Validator;
  readonly cache?: CompileCache;
  /** What was read already: the modules that its roles bring along have to be known to the registry. */
  readonly sources?: Sources;
}

/**
 * Loads a playbook with everything that it imports and checks all that can be known without a host: syntax, keywords,
 * modules, the arguments that are written out, names of handlers, templates and expressions. Raises a PlaybookError
 * with all mistakes, or `file-unreadable` when there is no playbook. `diagnostics` are warnings.
 */
export async function loadPlaybook(
  path: string,
  options: LoadOptions,
): Promise<{ readonly playbook: Playbook; readonly diagnostics: readonly Diagnostic[] }> {
  const sources = options.sources ?? (await readSources(path, options));
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
    roleContents: new Map(),
    loads: { count: 0 },
    found: foundNothing(),
  };
  const importing = { playbooks: [path], when: [], tags: [], vars: [] };
  const plays = loadPlays(context, main, importing, (n) => `play-${n}`);
  const diagnostics = sortDiagnostics(unique(context.diagnostics));
  const playbook = { source: main.source, plays };
  if (diagnostics.some(({ severity }) => severity === 'error')) throw new PlaybookError(diagnostics, playbook, sources);
  return { playbook, diagnostics };
}

/** A playbook has mistakes. What stands besides them was loaded and can be checked on its own. */
export class PlaybookError extends DiagnosticsError {
  /** Without what has mistakes. */
  readonly playbook: Playbook;
  readonly #sources: Sources;

  constructor(diagnostics: readonly Diagnostic[], playbook: Playbook, sources: Sources) {
    super(diagnostics);
    this.playbook = playbook;
    this.#sources = sources;
  }

  /** Whether something that was not loaded may define a name: a key in any file, the name after `register`. */
  mayDefine(name: string): boolean {
    const definition = new RegExp(
      `(?<![\\w.])${name}["']?\\s*:|\\b(?:register|name|\\w+_var)["']?\\s*:\\s*["']?${name}\\b`,
    );
    const files = [...this.#sources.files.values()];
    return files.some((file) => typeof file === 'string' || definition.test(file.source.text));
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

import { type Diagnostic, DiagnosticsError } from '../base/diagnostic.ts';
import type { Range } from '../base/source.ts';
import type { Validator } from '../module/arguments.ts';
import type { Registry } from '../module/registry.ts';
import type { CompileCache } from './compile-cache.ts';
import type { YamlFile } from './yaml.ts';

/** What every part of the loader shares: what it may look up, and where mistakes go. */
export interface LoadContext {
  readonly registry: Registry;
  readonly validator: Validator;
  readonly cache: CompileCache;
  /** Everything found so far; loading goes on after a mistake, so that all are told together. */
  readonly diagnostics: Diagnostic[];
  /** Every file that the playbook names, read already; a text says why one cannot be read. */
  readonly files: ReadonlyMap<string, YamlFile | string>;
  /** Handlers that tasks of the current play notify, to be checked when all handlers are known. */
  readonly notified: { readonly name: string; readonly range: Range }[];
}

/** Notes a mistake. */
export function report(context: LoadContext, range: Range, message: string, hint?: string): void {
  context.diagnostics.push({ severity: 'error', message, range, ...(hint !== undefined && { hint }) });
}

/** Runs something that raises a DiagnosticsError and notes its mistakes instead; gives undefined then. */
export function attempt<T>(context: LoadContext, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    context.diagnostics.push(...error.diagnostics);
    return undefined;
  }
}

import { type Diagnostic, DiagnosticsError } from '../../base/diagnostic.ts';
import type { Range } from '../../base/source.ts';
import type { Validator } from '../../module/arguments.ts';
import type { Registry } from '../../module/registry.ts';
import type { CompileCache } from '../compile-cache.ts';
import type { Task } from '../playbook.ts';
import type { Sources } from './read-sources.ts';
import type { RoleContent } from './role-content.ts';
import type { RoleFolder } from './role-folders.ts';

/** What every part of the loader shares: what it may look up, and where mistakes go. */
export interface LoadContext {
  readonly registry: Registry;
  readonly validator: Validator;
  readonly cache: CompileCache;
  /** Everything found so far; loading goes on after a mistake, so that all are told together. */
  readonly diagnostics: Diagnostic[];
  /** All that the playbook names, read already. */
  readonly sources: Sources;
  /** By the role's folder. */
  readonly roleContents: Map<string, RoleContent>;
  /** How many times files were loaded: the same one counts wherever it is imported or included. */
  readonly loads: { count: number };
  /** What was found on the way through the current play. */
  readonly found: Found;
}

/** What the parts of a play add up to. */
export interface Found {
  /** Who notifies what, to be resolved when all handlers are known. */
  readonly notifications: Notification[];
  /** The handlers of the roles that the play uses, by the role's folder. */
  readonly roleHandlers: Map<string, readonly Task[]>;
}

/** A task's `notify`. */
export interface Notification {
  /** The task's own list, in which the names are made those of handlers. */
  readonly names: string[];
  readonly written: readonly { readonly text: string; readonly range: Range }[];
  /** The role that the task stands in: its handlers are meant before others of the same name. */
  readonly role?: RoleFolder;
}

/** Nothing found yet. */
export function foundNothing(): Found {
  return { notifications: [], roleHandlers: new Map() };
}

/** More than anybody writes: files that name each other in every order are not followed for ever. */
const maxLoads = 10_000;

/** Whether one more file may be loaded; notes, once, that it may not. */
export function mayLoad(context: LoadContext, range: Range): boolean {
  const { loads } = context;
  loads.count++;
  if (loads.count === maxLoads + 1) {
    report(context, range, `the imports and includes of this playbook come to more than ${maxLoads} files`);
  }
  return loads.count <= maxLoads;
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

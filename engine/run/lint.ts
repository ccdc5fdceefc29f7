import { type Diagnostic, DiagnosticsError, sortDiagnostics } from '../base/diagnostic.ts';
import { loadRun } from './load.ts';
import type { RunRequest } from './request.ts';

/**
 * Everything that can be known to be wrong with playbooks, and what is doubtful, sorted by place. Without inventory sources
 * a name that an inventory could define is a doubt. Raises `file-unreadable` when there is no such playbook.
 */
export async function lintPlaybooks(
  playbooks: readonly string[],
  request: Pick<
    RunRequest,
    'inventory' | 'limit' | 'moduleDirectories' | 'extraVars' | 'tags' | 'skipTags' | 'opener'
  > &
    Partial<Pick<RunRequest, 'signal'>>,
): Promise<readonly Diagnostic[]> {
  const found: Diagnostic[] = [];
  for (const playbook of playbooks) found.push(...(await lint({ ...request, playbook })));
  return sortDiagnostics(distinct(found));
}

async function lint(request: Parameters<typeof loadRun>[0]): Promise<readonly Diagnostic[]> {
  try {
    const { warnings } = await loadRun(request, { hasInventory: request.inventory.length > 0 });
    return warnings;
  } catch (error) {
    if (error instanceof DiagnosticsError) return error.diagnostics;
    throw error;
  }
}

/** Files that several playbooks share have their mistakes once. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const known = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    const { range, severity, message } = diagnostic;
    known.set(`${range?.source.path ?? ''}:${range?.start ?? 0}:${severity}:${message}`, diagnostic);
  }
  return [...known.values()];
}

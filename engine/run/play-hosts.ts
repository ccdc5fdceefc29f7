import { type Diagnostic, DiagnosticsError } from '../base/diagnostic.ts';
import { Secret } from '../base/secret.ts';
import type { Host, Inventory } from '../inventory/inventory.ts';
import { orderHosts } from '../inventory/order.ts';
import { limitHosts, matchHosts } from '../inventory/patterns.ts';
import { nodesOf } from '../language/nodes.ts';
import type { Play, Playbook } from '../language/playbook.ts';
import { createScope } from '../language/scope.ts';
import type { Answers, RunRequest } from './request.ts';
import { tasksOf } from './selection.ts';

/** What hosts are matched with, besides the inventory. */
export interface Matching {
  readonly request: Pick<RunRequest, 'limit' | 'extraVars'>;
  readonly answers: Answers;
}

/** The hosts of a play, after `--limit`, in the play's order. Raises a DiagnosticsError for terms that name nothing. */
export function hostsOfPlay(inventory: Inventory, play: Play, { request, answers }: Matching): readonly Host[] {
  const scope = createScope([play.defaults, play.vars, answers.get(play.id) ?? {}, request.extraVars]);
  const pattern = play.hosts.render(scope);
  const items: readonly unknown[] = Array.isArray(pattern) ? pattern : [pattern];
  // Its asterisks would be a pattern that fits every host.
  if (items.some((item) => item instanceof Secret)) throw refuseSecret(play);
  const patterns = Array.isArray(pattern) ? pattern.map(String) : String(pattern);
  const matched = matchHosts(inventory, patterns, play.hosts.range);
  const hosts = request.limit === undefined ? matched : limitHosts(inventory, matched, request.limit);
  return orderHosts(hosts, play.order);
}

function refuseSecret({ hosts }: Play): DiagnosticsError {
  const message = 'hosts cannot be a secret: their names are seen everywhere';
  const hint = 'what vars_prompt asks for is secret unless it says private: false';
  return new DiagnosticsError([{ severity: 'error', message, hint, range: hosts.range }]);
}

/**
 * The hosts of every play before the run. A play after one that adds hosts has none yet where its pattern names nothing.
 * Raises a DiagnosticsError with the mistakes of all other plays.
 */
export function matchPlays({ plays }: Playbook, inventory: Inventory, matching: Matching): Map<Play, readonly Host[]> {
  const mistakes: Diagnostic[] = [];
  const hostsOf = new Map<Play, readonly Host[]>();
  let canGrow = false;
  for (const play of plays) {
    try {
      hostsOf.set(play, hostsOfPlay(inventory, play, matching));
    } catch (error) {
      if (!(error instanceof DiagnosticsError)) throw error;
      if (canGrow) hostsOf.set(play, []);
      else mistakes.push(...error.diagnostics);
    }
    canGrow ||= growsInventory(play);
  }
  if (mistakes.length === 0 && [...hostsOf.values()].every((hosts) => hosts.length === 0)) {
    const patterns = [...new Set(plays.map((play) => textOf(play.hosts.written)))].join(' and ');
    const message = `--limit ${matching.request.limit ?? ''} leaves no host in any play`;
    mistakes.push({ severity: 'error', rule: 'nothing-selected', message, hint: `the plays are for ${patterns}` });
  }
  if (mistakes.length > 0) throw new DiagnosticsError(mistakes);
  return hostsOf;
}

function textOf(pattern: unknown): string {
  return Array.isArray(pattern) ? pattern.join(',') : String(pattern);
}

function growsInventory(play: Play): boolean {
  const tasks = [...tasksOf(nodesOf(play))];
  return tasks.some(({ module }) => module.kind === 'action' && module.growsInventory === true);
}

import { dirname, resolve } from 'node:path';
import { type Diagnostic, DiagnosticsError, didYouMean } from '../base/diagnostic.ts';
import type { Host, Inventory } from '../inventory/inventory.ts';
import { limitHosts, matchHosts } from '../inventory/patterns.ts';
import { loadInventory } from '../inventory/sources.ts';
import { loadPlaybook } from '../language/load.ts';
import type { Play, Playbook } from '../language/playbook.ts';
import { createScope } from '../language/scope.ts';
import { createValidator, type Validator } from '../module/arguments.ts';
import { loadModules } from '../module/loader.ts';
import type { Registry } from '../module/registry.ts';
import { mistakesInFactNames } from './facts-names.ts';
import type { RunRequest } from './request.ts';
import { tasksOf } from './selection.ts';

/** All that a run needs to know before it contacts a host. */
export interface LoadedRun {
  readonly registry: Registry;
  readonly validator: Validator;
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  /** The hosts of each play, in order, after `--limit`. */
  readonly hostsOf: ReadonlyMap<Play, readonly Host[]>;
  readonly warnings: readonly Diagnostic[];
}

/**
 * Loads modules, playbook and inventory and matches every play's hosts. Raises a DiagnosticsError with everything that is
 * wrong in the playbook and the inventory; nothing was contacted then.
 */
export async function loadRun(
  request: Pick<
    RunRequest,
    'playbook' | 'inventory' | 'limit' | 'moduleDirectories' | 'extraVars' | 'tags' | 'skipTags'
  >,
): Promise<LoadedRun> {
  const playbookDirectory = dirname(resolve(request.playbook));
  const registry = await loadModules({ playbookDirectory, directories: request.moduleDirectories });
  const validator = createValidator();
  const [playbook, inventory] = await Promise.allSettled([
    loadPlaybook(request.playbook, { registry, validator }),
    loadInventory({ sources: request.inventory, playbookDirectory }),
  ]);
  const mistakes: Diagnostic[] = mistakesInFactNames(registry);
  for (const part of [playbook, inventory]) {
    if (part.status === 'fulfilled') continue;
    if (!(part.reason instanceof DiagnosticsError)) throw part.reason;
    mistakes.push(...part.reason.diagnostics);
  }
  if (playbook.status === 'rejected' || inventory.status === 'rejected' || mistakes.length > 0)
    throw new DiagnosticsError(mistakes);
  const unknown = unknownTags(playbook.value.playbook, request);
  if (unknown.length > 0) throw new DiagnosticsError(unknown);
  const hostsOf = matchPlays(playbook.value.playbook, inventory.value.inventory, request);
  return {
    registry,
    validator,
    playbook: playbook.value.playbook,
    inventory: inventory.value.inventory,
    hostsOf,
    warnings: [...playbook.value.diagnostics, ...inventory.value.diagnostics],
  };
}

/** A misspelt tag would leave out everything, or in `--skip-tags` nothing. */
function unknownTags({ plays }: Playbook, request: Pick<RunRequest, 'tags' | 'skipTags'>): Diagnostic[] {
  const tasks = plays.flatMap((play) => [...tasksOf(play.tasks), ...play.handlers]);
  const known = new Set(['all', 'always', 'never', ...tasks.flatMap((task) => task.tags)]);
  const check = (option: string, tags: readonly string[]): Diagnostic[] =>
    tags
      .filter((tag) => !known.has(tag))
      .map((tag) => {
        const hint = didYouMean(tag, known);
        return { severity: 'error', message: `${option} ${tag}: no task has this tag`, ...(hint && { hint }) };
      });
  return [...check('--tags', request.tags), ...check('--skip-tags', request.skipTags)];
}

function matchPlays(
  playbook: Playbook,
  inventory: Inventory,
  request: Pick<RunRequest, 'limit' | 'extraVars'>,
): Map<Play, readonly Host[]> {
  const mistakes: Diagnostic[] = [];
  const hostsOf = new Map<Play, readonly Host[]>();
  const collect = <T>(match: () => T): T | undefined => {
    try {
      return match();
    } catch (error) {
      if (!(error instanceof DiagnosticsError)) throw error;
      mistakes.push(...error.diagnostics);
      return undefined;
    }
  };
  for (const play of playbook.plays) {
    const hosts = collect(() => {
      const pattern = play.hosts.render(createScope([play.vars, request.extraVars]));
      return matchHosts(inventory, Array.isArray(pattern) ? pattern.join(',') : String(pattern), play.hosts.range);
    });
    if (!hosts) continue;
    const { limit } = request;
    hostsOf.set(play, limit === undefined ? hosts : (collect(() => limitHosts(inventory, hosts, limit)) ?? []));
  }
  if (mistakes.length === 0 && [...hostsOf.values()].every((hosts) => hosts.length === 0)) {
    mistakes.push({ severity: 'error', message: `--limit ${request.limit ?? ''} leaves no host in any play` });
  }
  if (mistakes.length > 0) throw new DiagnosticsError(mistakes);
  return hostsOf;
}

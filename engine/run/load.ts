import { dirname, resolve } from 'node:path';
import { type Diagnostic, DiagnosticsError, didYouMean } from '../base/diagnostic.ts';
import type { InventoryParts } from '../inventory/growth.ts';
import type { Host, Inventory } from '../inventory/inventory.ts';
import { loadInventory } from '../inventory/sources.ts';
import { loadPlaybook } from '../language/load.ts';
import type { Play, Playbook } from '../language/playbook.ts';
import { createValidator, type Validator } from '../module/arguments.ts';
import { loadModules } from '../module/loader.ts';
import type { Registry } from '../module/registry.ts';
import { mistakesInFactNames } from './facts-names.ts';
import { matchPlays } from './play-hosts.ts';
import type { Answers, RunRequest } from './request.ts';
import { tasksOf } from './selection.ts';

/** All that a run needs to know before it contacts a host. */
export interface LoadedRun {
  readonly registry: Registry;
  readonly validator: Validator;
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  /** What the inventory was made of: hosts can be added in the run. */
  readonly inventoryParts: InventoryParts;
  readonly answers: Answers;
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
    'playbook' | 'inventory' | 'limit' | 'moduleDirectories' | 'extraVars' | 'tags' | 'skipTags' | 'ask'
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
  const answers: Answers = (await request.ask?.(playbook.value.playbook.plays)) ?? new Map();
  const hostsOf = matchPlays(playbook.value.playbook, inventory.value.inventory, { request, answers });
  return {
    registry,
    validator,
    playbook: playbook.value.playbook,
    inventory: inventory.value.inventory,
    inventoryParts: inventory.value.parts,
    answers,
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

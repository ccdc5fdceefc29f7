import { dirname, resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { type Diagnostic, DiagnosticsError, sortDiagnostics, throwOnErrors } from '../base/diagnostic.ts';
import type { InventoryParts } from '../inventory/growth.ts';
import type { Host, Inventory } from '../inventory/inventory.ts';
import { loadInventory } from '../inventory/sources.ts';
import { createKeylessOpener } from '../language/encrypted-files.ts';
import { readSources } from '../language/load/read-sources.ts';
import { moduleFolders } from '../language/load/role-folders.ts';
import { loadPlaybook, PlaybookError } from '../language/load.ts';
import type { Play, Playbook } from '../language/playbook.ts';
import { createValidator, type Validator } from '../module/arguments.ts';
import { loadModules } from '../module/loader.ts';
import type { Registry } from '../module/registry.ts';
import { mistakesInFactNames } from './facts/names.ts';
import { tellingOfRun } from './host-telling.ts';
import { hostsOfPlay, type Matching, matchPlays } from './play-hosts.ts';
import { createReadRecord, type ReadRecord } from './read-record.ts';
import type { Answers, RunRequest } from './request.ts';
import { checkStatically, type StaticCheck } from './static-check.ts';
import { typedExtraVars } from './typed-extra-vars.ts';

/** All that a run needs to know before it contacts a host. */
export interface LoadedRun {
  readonly registry: Registry;
  readonly validator: Validator;
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  /** What the inventory was made of: hosts can be added in the run. */
  readonly inventoryParts: InventoryParts;
  /** `-e`, with the types that inputs declare. */
  readonly extraVars: RunRequest['extraVars'];
  readonly answers: Answers;
  /** The hosts of each play, in order, after `--limit`. */
  readonly hostsOf: ReadonlyMap<Play, readonly Host[]>;
  /** What was read for it. It goes on: what the run opens through its opener is in it, too. */
  readonly read: ReadRecord;
  readonly warnings: readonly Diagnostic[];
}

/**
 * Loads modules, playbook and inventory, matches every play's hosts and checks all that can be known without a host. Raises
 * a DiagnosticsError with everything that is wrong; nothing was contacted then. Without `hasInventory` no host is matched,
 * and what an inventory could define is a doubt only.
 */
export async function loadRun(
  asked: Pick<
    RunRequest,
    'playbook' | 'inventory' | 'limit' | 'moduleDirectories' | 'extraVars' | 'tags' | 'skipTags' | 'ask' | 'opener'
  > &
    Partial<Pick<RunRequest, 'signal' | 'bus'>>,
  { hasInventory = true }: { readonly hasInventory?: boolean } = {},
): Promise<LoadedRun> {
  const playbookDirectory = dirname(resolve(asked.playbook));
  const read = createReadRecord(asked.opener ?? createKeylessOpener());
  const { open } = read.opener;
  const sources = await readSources(asked.playbook, { open });
  const directories = [...moduleFolders(sources.look, sources.roles), ...asked.moduleDirectories];
  const registry = await loadModules({ playbookDirectory, directories });
  const validator = createValidator();
  const [loaded, readInventory] = await Promise.allSettled([
    loadPlaybook(asked.playbook, { registry, validator, sources }),
    loadInventory({
      sources: asked.inventory,
      playbookDirectory,
      open,
      onAnswer: read.noteOutput,
      ...(asked.bus && { telling: tellingOfRun(systemClock, asked.bus) }),
      ...(asked.signal && { signal: asked.signal }),
    }),
  ]);
  const found: Diagnostic[] = mistakesInFactNames(registry);
  const playbook = valueOr(loaded, found);
  const inventory = valueOr(readInventory, found);
  if (!playbook) {
    const besides = { request: asked, validator, inventory: inventory?.inventory, hasInventory };
    if (loaded.status === 'rejected' && loaded.reason instanceof PlaybookError)
      found.push(...(await mistakesBesides(loaded.reason, besides)));
    throw new DiagnosticsError(found);
  }
  const { plays } = playbook.playbook;
  const request = { ...asked, opener: read.opener, extraVars: typedExtraVars(playbook.playbook, asked.extraVars) };
  const check = async ({ hostsOf, mistakes }: Matched): Promise<void> => {
    const about = { request, playbook: playbook.playbook, validator, inventory: inventory?.inventory, hasInventory };
    found.push(...mistakes, ...(await checkStatically({ ...about, hostsOf })));
    throwOnErrors(found);
  };
  if (!inventory) {
    await check(noHosts);
    throw new DiagnosticsError(found);
  }
  const match = (answers: Answers): Matched =>
    hasInventory ? matchAll(playbook.playbook, inventory.inventory, { request, answers }) : noHosts;
  // Nobody should be asked for a password only to read that a name is misspelt.
  const isAskedFirst = plays.some(promptsDecideHosts);
  if (!isAskedFirst) await check(match(new Map()));
  const answers: Answers = (await asked.ask?.(plays)) ?? new Map();
  const matched = match(answers);
  if (isAskedFirst) await check(matched);
  return {
    registry,
    validator,
    playbook: playbook.playbook,
    inventory: inventory.inventory,
    inventoryParts: inventory.parts,
    extraVars: request.extraVars,
    answers,
    hostsOf: matched.hostsOf,
    read,
    warnings: sortDiagnostics([...playbook.diagnostics, ...inventory.diagnostics, ...found]),
  };
}

/** Kinds of mistakes that the parts of a playbook have whatever is wrong with the others. */
const ownMistakes: ReadonlySet<string | undefined> = new Set([
  'undefined-name',
  'unknown-member',
  'unknown-hosts',
  'template-file',
  'controller-file',
]);

/** What is wrong with the parts of a playbook that were loaded, without what may only follow from the others' mistakes. */
async function mistakesBesides(
  error: PlaybookError,
  { request, inventory, ...about }: Omit<StaticCheck, 'playbook' | 'hostsOf'>,
): Promise<readonly Diagnostic[]> {
  const { playbook } = error;
  const isMatched = inventory && about.hasInventory;
  const { hostsOf, mistakes } = isMatched ? matchAll(playbook, inventory, { request, answers: new Map() }) : noHosts;
  const all = [...mistakes, ...(await checkStatically({ ...about, request, inventory, playbook, hostsOf }))];
  return all.filter(({ rule, severity, message }) => {
    if (severity !== 'error' || !ownMistakes.has(rule)) return false;
    const [, name = ''] = /^"(\w+)/.exec(message) ?? [];
    if (rule === 'undefined-name') return name !== 'item' && !error.mayDefine(name);
    // What the engine provides has its members in any case.
    return rule !== 'unknown-member' || name === 'facts';
  });
}

/** What was loaded; else its mistakes are noted. Other errors pass. */
function valueOr<T>(part: PromiseSettledResult<T>, mistakes: Diagnostic[]): T | undefined {
  if (part.status === 'fulfilled') return part.value;
  if (!(part.reason instanceof DiagnosticsError)) throw part.reason;
  mistakes.push(...part.reason.diagnostics);
  return undefined;
}

interface Matched {
  readonly hostsOf: ReadonlyMap<Play, readonly Host[]>;
  readonly mistakes: readonly Diagnostic[];
}

const noHosts: Matched = { hostsOf: new Map(), mistakes: [] };

/** The hosts of every play whose pattern is right. */
function matchAll(playbook: Playbook, inventory: Inventory, matching: Matching): Matched {
  const mistakes: Diagnostic[] = [];
  const match = (run: () => ReadonlyMap<Play, readonly Host[]>): ReadonlyMap<Play, readonly Host[]> | undefined => {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof DiagnosticsError)) throw error;
      mistakes.push(...error.diagnostics);
      return undefined;
    }
  };
  const all = match(() => matchPlays(playbook, inventory, matching));
  if (all) return { hostsOf: all, mistakes };
  const told = [...mistakes];
  const each = playbook.plays.map((play) => match(() => new Map([[play, hostsOfPlay(inventory, play, matching)]])));
  return { hostsOf: new Map(each.flatMap((one) => [...(one ?? [])])), mistakes: told };
}

function promptsDecideHosts({ hosts, prompts }: Play): boolean {
  return hosts.references.some(({ path }) => prompts.some(({ name }) => name === path[0]));
}

import { dirname, resolve } from 'node:path';
import { type Diagnostic, didYouMean } from '../base/diagnostic.ts';
import type { Host, Inventory } from '../inventory/inventory.ts';
import type { InventoryNames, World } from '../language/check/world.ts';
import { checkPlaybook } from '../language/check.ts';
import { growsInventory, nodesOf } from '../language/nodes.ts';
import type { Play, Playbook } from '../language/playbook.ts';
import { stepsOf } from '../language/references.ts';
import type { Validator } from '../module/arguments.ts';
import { checkControllerFiles } from './controller-files.ts';
import { inventoryNames } from './inventory-names.ts';
import type { RunRequest } from './request.ts';
import { isSelected, tasksOf } from './selection.ts';
import { readTemplateFiles } from './template-files.ts';

/** What is checked, and what is known besides. */
export interface StaticCheck {
  readonly request: Pick<RunRequest, 'playbook' | 'limit' | 'extraVars' | 'tags' | 'skipTags' | 'opener'>;
  readonly playbook: Playbook;
  readonly validator: Validator;
  /** Absent when it has mistakes: then nobody knows what it would define. */
  readonly inventory: Inventory | undefined;
  /** False when it stands for one that is not known: then it has what is beside the playbook. */
  readonly hasInventory: boolean;
  /** The hosts of each play; a play whose pattern is wrong is not in it. */
  readonly hostsOf: ReadonlyMap<Play, readonly Host[]>;
}

/** Everything that can be known to be wrong with a run before it contacts a host. */
export async function checkStatically(check: StaticCheck): Promise<readonly Diagnostic[]> {
  const { request, playbook, inventory, hasInventory, validator } = check;
  const directory = dirname(resolve(request.playbook));
  const templates = await readTemplateFiles(playbook, directory, request.opener);
  const namesOf = inventoryNamesOf(check);
  const isComplete = inventory && hasInventory && !playbook.plays.some(growsInventory);
  const world: World = {
    extraVars: request.extraVars,
    hasInventory,
    inventoryOf: (play) => namesOf.get(play),
    hosts: isComplete ? [...inventory.hosts.keys(), ...inventory.localhosts.keys()] : undefined,
    groups: isComplete ? inventory.groups.keys() : undefined,
    templatesOf: templates.of,
    isSelected: (task) => isSelected(task, request.tags, request.skipTags),
  };
  const files = await checkControllerFiles(playbook, directory, canMakeFiles(check));
  const found = checkPlaybook(playbook, world, validator);
  return [...templates.diagnostics, ...files, ...checkTags(playbook, request), ...found];
}

/** Whether hosts of the playbook may be the controller itself, so that tasks can write its files. */
function canMakeFiles({ playbook, hasInventory, hostsOf }: StaticCheck): boolean {
  const isLocal = ({ layers }: Host): boolean =>
    layers.some(({ variables }) => variables.get('ansible_connection')?.written === 'local');
  return !hasInventory || playbook.plays.some((play) => (hostsOf.get(play) ?? []).some(isLocal));
}

/** The names of every play. Plays of the same hosts share them; of hosts that are added in the run nothing is known. */
function inventoryNamesOf({
  playbook,
  inventory,
  hasInventory,
  hostsOf,
}: StaticCheck): ReadonlyMap<Play, InventoryNames> {
  const byHosts = new Map<string, InventoryNames>();
  const found = new Map<Play, InventoryNames>();
  let canGrow = false;
  for (const play of playbook.plays) {
    const hosts = hasInventory ? hostsOf.get(play) : [];
    if (hosts && inventory && !canGrow) {
      // A play that --limit leaves without hosts does not run; its names are checked all the same.
      const some = hosts.length > 0 ? hosts : [...inventory.hosts.values(), ...inventory.localhosts.values()];
      const key = some.map(({ name }) => name).join(' ');
      const known = byHosts.get(key) ?? inventoryNames(some);
      byHosts.set(key, known);
      found.set(play, known);
    }
    canGrow ||= growsInventory(play);
  }
  return found;
}

/** What tags and options mean without that a task names it. */
const ofAnsible: readonly string[] = ['all', 'tagged', 'untagged', 'always', 'never'];

/** A misspelt tag would leave out everything, or in `--skip-tags` nothing. */
function checkTags({ plays }: Playbook, { tags, skipTags }: Pick<RunRequest, 'tags' | 'skipTags'>): Diagnostic[] {
  const tasks = plays.flatMap((play) => [...tasksOf(nodesOf(play))]);
  const metas = plays
    .flatMap((play) => [...stepsOf(nodesOf(play))])
    .flatMap((node) => (node.kind === 'meta' ? [node] : []));
  const known = new Set([...ofAnsible, ...[...tasks, ...metas].flatMap(({ tags: own }) => own)]);
  const check = (option: string, names: readonly string[]): Diagnostic[] =>
    names.filter((tag) => !known.has(tag)).map((tag) => unknownTag(option, tag, known));
  const unknown = [...check('--tags', tags), ...check('--skip-tags', skipTags)];
  if (unknown.length > 0 || tags.length + skipTags.length === 0) return unknown;
  if (plays.some((play) => [...tasksOf(play.tasks)].some((task) => isSelected(task, tags, skipTags)))) return [];
  const options = [
    ...(tags.length > 0 ? [`--tags ${tags.join(',')}`] : []),
    ...(skipTags.length > 0 ? [`--skip-tags ${skipTags.join(',')}`] : []),
  ];
  const message = `${options.join(' ')}: together they leave no task`.replace(
    /(^\S+ \S+): together they leave/,
    '$1: leaves',
  );
  return [{ severity: 'error', rule: 'nothing-selected', message }];
}

function unknownTag(option: string, tag: string, known: ReadonlySet<string>): Diagnostic {
  const own = [...known].filter((name) => !ofAnsible.includes(name));
  const hint =
    didYouMean(tag, known) ?? (own.length > 0 ? `the tags are: ${own.sort().join(', ')}` : 'this playbook has no tags');
  return { severity: 'error', rule: 'unknown-tag', message: `${option} ${tag}: no task has this tag`, hint };
}

import { didYouMean } from '../../base/diagnostic.ts';
import { nodesOf, tasksIn } from '../nodes.ts';
import type { Node, Play, Playbook } from '../playbook.ts';
import type { Expression, Value, Variables } from '../value.ts';
import type { Findings } from './findings.ts';
import { textsIn } from './guards.ts';
import type { Giver, World } from './world.ts';

/**
 * Checks that every `-e` is something that the playbook takes: where a play declares `inputs`, one of these; else a name that
 * the playbook or the inventory defines or reads.
 */
export function checkExtraVars(
  findings: Findings,
  playbook: Playbook,
  world: World,
  givers: ReadonlyMap<string, Giver>,
): void {
  const names = Object.keys(world.extraVars).filter((name) => !name.startsWith('ansible_'));
  if (names.length === 0) return;
  const declared = declaredNames(playbook);
  const isInventoryKnown = playbook.plays.every((play) => world.inventoryOf(play));
  const known = declared ?? knownNames(playbook, world, givers);
  for (const name of names) {
    if (known.has(name)) continue;
    if (declared) {
      const hint = didYouMean(name, known) ?? `the inputs are: ${[...known].join(', ')}`;
      findings.add('error', 'extra-variable', undefined, `-e ${name}: the playbook has no input "${name}"`, hint);
    } else if (isInventoryKnown && !isMentioned(playbook, world, name)) {
      const message = `-e ${name}: nothing in the playbook reads or defines "${name}"`;
      findings.add(
        world.hasInventory ? 'error' : 'warning',
        'extra-variable',
        undefined,
        message,
        didYouMean(name, known),
      );
    }
  }
}

/** Inputs and prompts; undefined when no play declares inputs. */
function declaredNames({ plays }: Playbook): ReadonlySet<string> | undefined {
  if (plays.every((play) => play.inputs.length === 0)) return undefined;
  return new Set(plays.flatMap(({ inputs, prompts }) => [...inputs, ...prompts].map(({ name }) => name)));
}

function knownNames(playbook: Playbook, world: World, givers: ReadonlyMap<string, Giver>): ReadonlySet<string> {
  const names = new Set<string>(givers.keys());
  for (const play of playbook.plays) {
    for (const { name } of play.prompts) names.add(name);
    for (const layer of layersOf(play)) for (const name of layer.keys()) names.add(name);
    for (const name of world.inventoryOf(play)?.keys() ?? []) names.add(name);
    for (const { references } of readersOf(play)) for (const { path } of references) if (path[0]) names.add(path[0]);
    for (const task of tasksIn(nodesOf(play))) {
      for (const { references } of world.templatesOf(task))
        for (const { path } of references) if (path[0]) names.add(path[0]);
    }
  }
  return names;
}

/** Whether a template asks for a name that need not exist: `{{ default x "y" }}` reads nothing that must be there. */
function isMentioned({ plays }: Playbook, world: World, name: string): boolean {
  const word = new RegExp(`\\b${name}\\b`);
  const has = (text: string): boolean => text.includes('{{') && word.test(text);
  return plays.some((play) => {
    const values = [...readersOf(play)].flatMap((reader) => ('written' in reader ? [reader.written] : []));
    if ([...textsIn(values)].some(has)) return true;
    const inventory = [...(world.inventoryOf(play)?.values() ?? [])].flatMap(({ values: of }) => of);
    if ([...textsIn(inventory.map(({ written }) => written))].some(has)) return true;
    return [...tasksIn(nodesOf(play))].some((task) => world.templatesOf(task).some(({ source }) => has(source.text)));
  });
}

function layersOf(play: Play): readonly Variables[] {
  const tasks = [...tasksIn(nodesOf(play))];
  return [...new Set([play.vars, play.defaults, ...tasks.flatMap(({ vars, defaults }) => [...vars, ...defaults])])];
}

/** Everything in a play that reads names. */
function* readersOf(play: Play): Generator<Value | Expression> {
  yield play.hosts;
  if (play.maxPerGroup) yield play.maxPerGroup.by;
  for (const layer of layersOf(play)) yield* layer.values();
  yield* readersOfNodes(nodesOf(play));
}

function* readersOfNodes(nodes: readonly Node[]): Generator<Value | Expression> {
  for (const node of nodes) {
    if (node.kind === 'include') {
      yield* [node.file, ...node.when, ...(node.loop ? [node.loop] : [])];
      for (const file of node.files.values()) yield* readersOfNodes(file);
    } else if (node.kind === 'meta') yield* node.when;
    else if (node.kind === 'block') {
      yield* readersOfNodes([...(node.lease ? [node.lease.task] : []), ...node.body, ...node.rescue, ...node.always]);
    } else {
      const { args, nameTemplate, loop, become, becomeUser, delegateTo, ignoreErrors } = node;
      const values = [args, nameTemplate, loop, become, becomeUser, delegateTo, ignoreErrors, ...node.environment];
      for (const value of values) if (value) yield value;
      yield* [...node.when, ...node.until, ...(node.changedWhen ?? []), ...(node.failedWhen ?? [])];
    }
  }
}

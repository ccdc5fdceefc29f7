import type { Diagnostic } from '../base/diagnostic.ts';
import type { Range } from '../base/source.ts';
import type { Validator } from '../module/arguments.ts';
import { createTypeChecker } from './check/expression-types.ts';
import { checkExtraVars } from './check/extra-vars.ts';
import { Findings } from './check/findings.ts';
import { checkHandlers } from './check/handlers.ts';
import { checkPlayInputs } from './check/inputs.ts';
import { type Given, type PlayNames, providedShapes } from './check/names.ts';
import { factsSetBy } from './check/result-shape.ts';
import { PlayWalk } from './check/walk.ts';
import type { Giver, World } from './check/world.ts';
import { loopNamesIn, nodesOf, tasksIn } from './nodes.ts';
import type { Play, Playbook } from './playbook.ts';
import { stepsOf } from './references.ts';

/**
 * Checks what a loaded playbook reads against what can be there: every name at its place, members of what is known, types
 * of expressions and arguments, inputs, handlers. Contacts nothing and reads no file.
 */
export function checkPlaybook(playbook: Playbook, world: World, validator: Validator): readonly Diagnostic[] {
  const findings = new Findings();
  const givers = giversOf(playbook);
  const given = new Map<string, Given>();
  const definedAt = (name: string): Range | undefined => definitionOf(playbook, name);
  const known = { types: createTypeChecker(), provided: providedShapes(world) };
  const shared = { world, validator, givers, given, definedAt, ...known };
  for (const [i, play] of playbook.plays.entries()) {
    const before = playbook.plays.slice(0, i);
    const names: PlayNames = {
      ...shared,
      play,
      inventory: world.inventoryOf(play),
      changing: changingNames(play, givers),
      inputs: new Set(inputsOf(play)),
      hasFacts: play.gatherFacts !== false || before.some((other) => other.gatherFacts !== false),
      shapes: new Map(),
    };
    checkPlayInputs(findings, names);
    new PlayWalk(findings, names).check();
    checkHandlers(findings, play);
  }
  checkExtraVars(findings, playbook, world, givers);
  return findings.all();
}

function* inputsOf(play: Play): Generator<string> {
  for (const { name } of play.inputs) yield name;
  for (const step of stepsOf(nodesOf(play))) {
    if (step.kind === 'block') for (const { name } of step.role?.inputs ?? []) yield name;
  }
}

function definitionOf({ plays }: Playbook, name: string): Range | undefined {
  for (const play of plays) {
    const layers = [play.vars, play.defaults];
    for (const task of tasksIn(nodesOf(play))) layers.push(...task.vars, ...task.defaults);
    const found = layers.find((layer) => layer.has(name))?.get(name);
    if (found) return found.range;
  }
  return undefined;
}

/** Every task that gives a variable, the first one for each name. */
function giversOf({ plays }: Playbook): ReadonlyMap<string, Giver> {
  const givers = new Map<string, Giver>();
  const add = (name: string, giver: Giver): void => void (givers.has(name) || givers.set(name, giver));
  for (const play of plays) {
    for (const task of tasksIn(nodesOf(play))) {
      if (task.register !== undefined) add(task.register, { range: task.range, act: 'registered' });
      for (const name of factsSetBy(task).keys()) add(name, { range: task.range, act: 'set' });
    }
  }
  return givers;
}

/** Names that mean something else, or nothing, from one task of a play to the next. */
function changingNames(play: Play, givers: ReadonlyMap<string, Giver>): ReadonlySet<string> {
  const names = new Set([...givers.keys(), 'item', 'result', 'failed_task', 'failed_result']);
  const nodes = nodesOf(play);
  for (const name of loopNamesIn(nodes)) names.add(name);
  const seen = new Set<unknown>();
  for (const { vars, defaults } of tasksIn(nodes)) {
    for (const layer of [...vars, ...defaults]) {
      if (seen.has(layer)) continue;
      seen.add(layer);
      for (const name of layer.keys()) names.add(name);
    }
  }
  return names;
}

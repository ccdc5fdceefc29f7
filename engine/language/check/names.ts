import type { Range } from '../../base/source.ts';
import type { Validator } from '../../module/arguments.ts';
import type { Schema } from '../../module/schema.ts';
import { factsSchema } from '../facts-schema.ts';
import { providedNames } from '../load/fields.ts';
import type { Play } from '../playbook.ts';
import type { Reference, Value, Variables } from '../value.ts';
import type { TypeChecker } from './expression-types.ts';
import { followPath, type Shape, shapeOf } from './shape.ts';
import type { Giver, InventoryNames, World } from './world.ts';

/** A result or a fact that tasks have given to the hosts by now. */
export interface Given {
  readonly shape: Shape;
  /** Set when only tasks gave it that `--tags` or `--skip-tags` leave out. */
  readonly leftOut?: Giver;
}

/** What is known of names in one play. */
export interface PlayNames {
  readonly play: Play;
  readonly world: World;
  readonly inventory: InventoryNames | undefined;
  /** Results and facts, which the tasks before, those of earlier plays included, have given. Grows from task to task. */
  readonly given: Map<string, Given>;
  /** Every task of the playbook that gives a variable, by its name. */
  readonly givers: ReadonlyMap<string, Giver>;
  /** Names whose meaning differs from task to task. */
  readonly changing: ReadonlySet<string>;
  /** Inputs of the play and of its roles. */
  readonly inputs: ReadonlySet<string>;
  /** Where any play, block, task or role defines a variable, if one does. */
  readonly definedAt: (name: string) => Range | undefined;
  readonly hasFacts: boolean;
  readonly provided: ReadonlyMap<string, Shape>;
  readonly types: TypeChecker;
  readonly validator: Validator;
  /** Shapes that were worked out already. */
  readonly shapes: Map<Value, Shape>;
}

/** Where a name is read. */
export interface Place {
  readonly names: PlayNames;
  /** Those of blocks and the task, and those of roles around it. */
  readonly vars: readonly Variables[];
  readonly defaults: readonly Variables[];
  /** A loop's item, the task's own result, and what a template file is given. */
  readonly locals: ReadonlyMap<string, Shape>;
}

/** What a name stands for at a place. */
export interface Found {
  readonly shape: () => Shape;
  /** What is rendered when it is read: several where hosts differ. */
  readonly values: readonly Value[];
  readonly given?: Given;
  /** Hosts of the play that lack it. */
  readonly missingOn?: () => readonly string[];
}

/** Finds a name, the highest layer first: the order of `createVariables` in the run. */
export function findName(place: Place, name: string, depth = 0): Found | undefined {
  const { names, locals } = place;
  if (locals.has(name)) return known(locals.get(name));
  const provided = names.provided.get(name);
  if (provided) return known(provided);
  if (Object.hasOwn(names.world.extraVars, name)) return known(shapeOf(names.world.extraVars[name]));
  const inTask = lastWith(place.vars, name);
  if (inTask) return valued(place, inTask, depth);
  const given = names.given.get(name);
  if (given) return { shape: () => given.shape, values: [], given };
  const inPlay = findInPlay(place, name, depth);
  const inDefaults = lastWith([names.play.defaults, ...place.defaults], name);
  if (inPlay) return inDefaults ? { shape: inPlay.shape, values: inPlay.values } : inPlay;
  return inDefaults && valued(place, inDefaults, depth);
}

/** Every name that can be read at a place, for suggestions. */
export function* namesAt({ names, vars, defaults, locals }: Place): Generator<string> {
  yield* locals.keys();
  yield* names.provided.keys();
  yield* Object.keys(names.world.extraVars);
  for (const layer of [...vars, ...defaults, names.play.vars, names.play.defaults]) yield* layer.keys();
  yield* names.given.keys();
  yield* names.play.prompts.map(({ name }) => name);
  yield* names.inventory?.keys() ?? [];
}

/** The shape of what a value renders to at a place. A lone `{{ x.y }}` is what it names. */
export function shapeAt(place: Place, value: Value, depth = 0): Shape {
  const lone = loneReference(value);
  if (!lone) {
    const { shapes } = place.names;
    if (!shapes.has(value)) shapes.set(value, shapeOf(value.written));
    return shapes.get(value);
  }
  // A variable may need its own value, which the run finds out.
  const found = depth < 8 ? findName(place, lone.path[0] ?? '', depth + 1) : undefined;
  const end = found && followPath(found.shape(), lone.path);
  return end && 'shape' in end ? end.shape : undefined;
}

/** The one name that a value is: of `{{ x.y }}` and of `!expr x.y`. */
export function loneReference({ written, references }: Value): Reference | undefined {
  if (typeof written !== 'string' || !/^(\{\{\s*[\w.]+\s*\}\}|!expr\s+[\w.]+)$/.test(written.trim())) return undefined;
  return references.length === 1 ? references[0] : undefined;
}

/** What the engine provides, by name. */
export function providedShapes(world: World): ReadonlyMap<string, Shape> {
  const text: Schema = { type: 'string' };
  const texts: Schema = { type: 'array', items: text };
  const shapes: Readonly<Record<string, Schema>> = {
    inventory_hostname: text,
    group_names: texts,
    groups: mapOfKeys(world.groups, texts),
    hostvars: mapOfKeys(world.hosts, {}),
    run_id: text,
    check_mode: { type: 'boolean' },
    playbook_dir: text,
    facts: factsSchema,
  };
  const notHere = new Set(['item']);
  const names = [...providedNames].filter((name) => !notHere.has(name));
  return new Map(names.map((name) => [name, Object.hasOwn(shapes, name) ? shapes[name] : {}]));
}

function mapOfKeys(keys: Iterable<string> | undefined, values: Schema): Schema {
  if (!keys) return { type: 'object', additionalProperties: values };
  const properties = Object.fromEntries([...keys].map((key) => [key, values]));
  return { type: 'object', properties, additionalProperties: false };
}

function findInPlay(place: Place, name: string, depth: number): Found | undefined {
  const { play, inventory } = place.names;
  const inPlay = play.vars.get(name);
  if (inPlay) return valued(place, inPlay, depth);
  if (play.prompts.some((prompt) => prompt.name === name)) return known(undefined);
  return inventory?.get(name);
}

function lastWith(layers: readonly Variables[], name: string): Value | undefined {
  return layers.findLast((layer) => layer.has(name))?.get(name);
}

function valued(place: Place, value: Value, depth: number): Found {
  return { shape: () => shapeAt(place, value, depth), values: [value] };
}

function known(shape: Shape): Found {
  return { shape: () => shape, values: [] };
}

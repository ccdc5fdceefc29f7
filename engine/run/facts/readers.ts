import { dirname } from 'node:path';
import type { Inventory } from '../../inventory/inventory.ts';
import { nodesOf } from '../../language/nodes.ts';
import type { Node, Play, Task } from '../../language/playbook.ts';
import { referencesOfStep, stepsOf, variablesOfStep } from '../../language/references.ts';
import type { Template } from '../../language/template.ts';
import type { Reference, Variables } from '../../language/value.ts';
import { type FileStore, findFile } from '../controller.ts';

/** The first names of facts, `os` for `facts.os.family`; `*` where they are read as a whole, or nobody can tell which. */
export type FactNames = ReadonlySet<string>;

/**
 * Tells before a node is run which facts it reads: itself, through variables, and in template files that it names. Those are
 * looked at whenever it is asked, since a task before it can write them.
 */
export interface FactReaders {
  /** Of a block only what is read for the block itself: its lease and the inputs of its role. */
  of(node: Node, play: Play): Promise<FactNames>;
}

/** What variables read, by their names: whichever layer they are in, as any of them may be the one that counts. */
type VariableReferences = ReadonlyMap<string, readonly Reference[]>;

/** Looks at each node once, as long as its template files stay as they are. */
export function createFactReaders(
  inventory: Inventory,
  store: Pick<FileStore, 'template'>,
  playbookDirectory: string,
): FactReaders {
  const ofInventory = layersOf(inventory);
  const variablesOf = new Map<Play, VariableReferences>();
  const known = new Map<Node, { readonly templates: readonly Template[]; readonly names: FactNames }>();
  const look = (node: Node, play: Play, templates: readonly Template[]): FactNames => {
    let variables = variablesOf.get(play);
    if (!variables) variablesOf.set(play, (variables = indexVariables([...ofInventory, ...variableLayersOf(play)])));
    const names = new Set<string>();
    const references = [...referencesOfStep(node), ...templates.flatMap((template) => template.references)];
    collect(references, variables, names, new Set());
    return names;
  };
  return {
    async of(node, play) {
      const templates = node.kind === 'task' ? await templatesOf(node, store, playbookDirectory) : [];
      const before = known.get(node);
      if (before && isSame(before.templates, templates)) return before.names;
      const names = look(node, play, templates);
      known.set(node, { templates, names });
      return names;
    },
  };
}

/** A file that was written anew is another template. */
function isSame(before: readonly Template[], now: readonly Template[]): boolean {
  return before.length === now.length && before.every((template, i) => template === now[i]);
}

function collect(
  references: readonly Pick<Reference, 'path'>[],
  variables: VariableReferences,
  names: Set<string>,
  seen: Set<string>,
): void {
  for (const { path } of references) {
    const [head = '', ...rest] = path;
    if (head === 'facts') names.add(rest[0] ?? '*');
    else if (head === 'hostvars') {
      // hostvars["a"].x reads what x reads; where the host is computed, nobody can tell what is read of it.
      if (rest.length < 2) names.add('*');
      else collect([{ path: rest.slice(1) }], variables, names, seen);
    } else if (!seen.has(head)) {
      seen.add(head);
      collect(variables.get(head) ?? [], variables, names, seen);
    }
  }
}

function layersOf({ groups, hosts }: Inventory): Set<Variables> {
  const layers = new Set<Variables>();
  for (const group of groups.values()) for (const layer of group.layers) layers.add(layer.variables);
  for (const host of hosts.values()) for (const layer of host.layers) layers.add(layer.variables);
  return layers;
}

function* variableLayersOf(play: Play): Generator<Variables> {
  yield play.defaults;
  yield play.vars;
  for (const node of stepsOf(nodesOf(play))) yield* variablesOfStep(node);
}

function indexVariables(layers: Iterable<Variables>): VariableReferences {
  const index = new Map<string, Reference[]>();
  for (const layer of new Set(layers)) {
    for (const [name, value] of layer) {
      if (value.isLiteral) continue;
      const known = index.get(name);
      if (known) known.push(...value.references);
      else index.set(name, [...value.references]);
    }
  }
  return index;
}

/** The template files whose names are written out. One that is missing or broken is the task's own failure. */
async function templatesOf(
  task: Task,
  store: Pick<FileStore, 'template'>,
  playbookDirectory: string,
): Promise<readonly Template[]> {
  const named = Object.entries(task.module.schema.properties).filter(([, schema]) => schema.format === 'template');
  if (named.length === 0) return [];
  const args = task.args.written as Readonly<Record<string, unknown>>;
  const folders = [...task.folders, dirname(task.range.source.path), playbookDirectory];
  const read = async (name: unknown): Promise<readonly Template[]> => {
    if (typeof name !== 'string' || name.includes('{{')) return [];
    try {
      return [await store.template(await findFile(name, 'templates', folders))];
    } catch {
      return [];
    }
  };
  return (await Promise.all(named.map(([argument]) => read(args[argument])))).flat();
}

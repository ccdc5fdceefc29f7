import { dirname } from 'node:path';
import type { Include, Node } from '../playbook.ts';
import { entryOf, type YamlEntry, type YamlMap, type YamlNode } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import { readLoop, readTextValue } from './fields.ts';
import { includedFiles, isChosenByTemplate, shapeShown } from './include-files.ts';
import { loopNames, readLoopControl } from './loop-control.ts';
import { type Surroundings, surround } from './surroundings.ts';
import { nameOf } from './task.ts';
import { loadTaskFile } from './tasks.ts';
import { checkKeywords } from './unknown-keys.ts';

/** Loads an `include_tasks` with every file that it can come to. */
export function loadInclude(
  context: LoadContext,
  map: YamlMap,
  entry: YamlEntry,
  outer: Surroundings,
  id: string,
): Include | undefined {
  checkKeywords(context, map, 'include_tasks', 'an include');
  const inner = surround(context, map, outer);
  const loopEntry = entryOf(map, 'loop');
  const loop = loopEntry && readLoop(context, loopEntry);
  const loopControl = readLoopControl(context, map, inner);
  const file = readTextValue(context, entry);
  if (!file) return undefined;
  const loopVariables = [...inner.within.loopVariables, ...(loopEntry ? loopNames(loopControl) : [])];
  // Its own condition is asked once for each host and not again by every task.
  const inside: Surroundings = { ...inner, when: outer.when, within: { ...inner.within, loopVariables } };
  return {
    kind: 'include',
    id,
    name: nameOf(context, map, `include ${String(file.written)}`).name,
    range: map.range,
    file,
    files: loadFiles(context, entry.value, inside, id),
    when: inner.when,
    defaults: inner.defaults,
    vars: inner.vars,
    ...(loop && { loop }),
    loopControl,
    tags: inner.tags,
  };
}

function loadFiles(context: LoadContext, node: YamlNode, inside: Surroundings, id: string): Map<string, Node[]> {
  const { look } = context.sources;
  const isChosen = isChosenByTemplate(node);
  const all = [...includedFiles(node, look)];
  const fitting = isChosen ? all.filter(([, path]) => canBeIncluded(context, path, inside)) : all;
  if (fitting.length === 0) {
    const folder = dirname(node.range.source.path);
    report(context, node.range, `no file in ${folder === '.' ? 'this folder' : folder} fits ${shapeShown(node)}`);
  }
  return new Map(
    fitting.map(([name, path]) => [name, loadTaskFile(context, path, node, inside, `${id}.include.${name}`)]),
  );
}

/** A file that fits a template by chance is left out: one that leads here, or that holds no tasks. */
function canBeIncluded(context: LoadContext, path: string, { within }: Surroundings): boolean {
  const file = context.sources.files.get(path);
  if (within.files.includes(path)) return false;
  const root = typeof file === 'object' ? file.root : undefined;
  if (!root) return true;
  if (root.kind !== 'list') return false;
  return !root.items.some(
    (item) => item.kind === 'map' && (entryOf(item, 'hosts') ?? entryOf(item, 'import_playbook')),
  );
}

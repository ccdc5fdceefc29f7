import type { Node } from '../playbook.ts';
import { describeNode, entryOf, type YamlEntry, type YamlFile, type YamlMap, type YamlNode } from '../yaml.ts';
import { isBlock, loadBlock } from './block.ts';
import { type LoadContext, mayLoad, report } from './context.ts';
import { isNothing, readText, readTextValue } from './fields.ts';
import { loadInclude } from './include.ts';
import { loadMeta } from './meta.ts';
import { beside } from './read-sources.ts';
import { importRole } from './role.ts';
import { type Surroundings, surround } from './surroundings.ts';
import { loadTask } from './task.ts';
import { checkKeywords } from './unknown-keys.ts';

/** Loads a list of tasks and of all else that can stand among them. `idOf` names the n-th. */
export function loadNodes(
  context: LoadContext,
  list: YamlNode,
  outer: Surroundings,
  idOf: (position: number) => string,
): Node[] {
  if (isNothing(list)) return [];
  if (list.kind !== 'list') {
    report(context, list.range, `tasks must be a list, not ${describeNode(list)}`, 'start every task with "- "');
    return [];
  }
  return list.items.flatMap((item, i) => loadNode(context, item, outer, idOf(i + 1)));
}

function loadNode(context: LoadContext, node: YamlNode, outer: Surroundings, id: string): readonly Node[] {
  if (node.kind !== 'map') {
    report(context, node.range, `a task must be a map, not ${describeNode(node)}`);
    return [];
  }
  const imported = entryOf(node, 'import_tasks');
  if (imported) return importTasks(context, node, imported, outer, id);
  const role = entryOf(node, 'import_role');
  if (role) return listOf(importRole(context, node, role, outer, id));
  const included = entryOf(node, 'include_tasks');
  if (included) return listOf(loadInclude(context, node, included, outer, id));
  const meta = entryOf(node, 'meta');
  if (meta) return listOf(loadMeta(context, node, meta, outer, id));
  if (isBlock(node)) return [loadBlock(context, node, outer, id)];
  return listOf(loadTask(context, node, outer, id, outer.within.isHandlers ? 'handler' : 'task'));
}

function listOf(node: Node | undefined): Node[] {
  return node ? [node] : [];
}

function importTasks(context: LoadContext, map: YamlMap, entry: YamlEntry, outer: Surroundings, id: string): Node[] {
  checkKeywords(context, map, 'import_tasks', 'an import');
  const title = entryOf(map, 'name');
  // Shown nowhere, but a mistake all the same.
  if (title) readTextValue(context, title);
  const inner = surround(context, map, outer);
  const name = readText(context, entry, 'include_tasks takes a template');
  if (name === undefined) return [];
  return loadTaskFile(context, beside(entry.value.range.source.path, name), entry.value, inner, `${id}.import`);
}

/** Loads the tasks of a file. Notes why it cannot be read, or that it leads back to itself. */
export function loadTaskFile(
  context: LoadContext,
  path: string,
  namedBy: YamlNode,
  inner: Surroundings,
  id: string,
): Node[] {
  const { files } = inner.within;
  if (files.includes(path)) {
    const chain = [...files.slice(files.indexOf(path)), path].join(' → ');
    report(context, namedBy.range, `the import of ${path} never ends: ${chain}`);
    return [];
  }
  const file = readableFile(context, path, namedBy);
  if (!file?.root || !mayLoad(context, namedBy.range)) return [];
  const within = { ...inner.within, files: [...files, path] };
  return loadNodes(context, file.root, { ...inner, within }, (n) => `${id}.${n}`);
}

/** A file that the playbook names; notes why it cannot be read, and what is wrong in it. */
export function readableFile(context: LoadContext, path: string, namedBy: YamlNode): YamlFile | undefined {
  const file = context.sources.files.get(path);
  if (file === undefined || typeof file === 'string') {
    report(context, namedBy.range, `cannot read ${path}: ${file ?? 'it was not looked for'}`);
    return undefined;
  }
  context.diagnostics.push(...file.diagnostics);
  return file;
}

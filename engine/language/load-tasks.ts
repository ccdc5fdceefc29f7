import { dirname, join } from 'node:path';
import {
  checkVariableName,
  isNothing,
  readBoolean,
  readConditions,
  readCount,
  readDurationMs,
  readFlag,
  readLoop,
  readText,
  readTexts,
  readTextValue,
} from './fields.ts';
import { checkKeywords } from './keywords.ts';
import { type LoadContext, report } from './load-context.ts';
import type { Block, LeaseClause, Node, Task } from './playbook.ts';
import { type Surroundings, surround } from './surroundings.ts';
import { readArguments } from './task-arguments.ts';
import { findModule } from './task-module.ts';
import { describeNode, entryOf, type YamlEntry, type YamlFile, type YamlMap, type YamlNode } from './yaml.ts';

/** Loads a list of tasks, blocks and imports. `idOf` names the n-th of them. */
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

function loadNode(context: LoadContext, node: YamlNode, outer: Surroundings, id: string): Node[] {
  if (node.kind !== 'map') {
    report(context, node.range, `a task must be a map, not ${describeNode(node)}`);
    return [];
  }
  const imported = entryOf(node, 'import_tasks');
  if (imported) return importTasks(context, node, imported, outer, id);
  if (['block', 'rescue', 'always', 'lease'].some((key) => entryOf(node, key)))
    return loadBlock(context, node, outer, id);
  const task = loadTask(context, node, outer, id);
  return task ? [task] : [];
}

function importTasks(context: LoadContext, map: YamlMap, entry: YamlEntry, outer: Surroundings, id: string): Node[] {
  checkKeywords(context, map, 'import_tasks', 'an import');
  const inner = surround(context, map, outer);
  const name = readText(context, entry);
  if (name === undefined) return [];
  const path = join(dirname(entry.value.range.source.path), name);
  if (outer.importedFrom.includes(path)) {
    const chain = [...outer.importedFrom.slice(outer.importedFrom.indexOf(path)), path].join(' → ');
    report(context, entry.value.range, `the import of ${path} never ends: ${chain}`);
    return [];
  }
  const file = readableFile(context, path, entry.value);
  if (!file?.root) return [];
  return loadNodes(
    context,
    file.root,
    { ...inner, importedFrom: [...outer.importedFrom, path] },
    (n) => `${id}.import.${n}`,
  );
}

/** A file that the playbook names; notes why it cannot be read, and what is wrong in it. */
export function readableFile(context: LoadContext, path: string, namedBy: YamlNode): YamlFile | undefined {
  const file = context.files.get(path);
  if (file === undefined || typeof file === 'string') {
    report(context, namedBy.range, `cannot read ${path}: ${file ?? 'it was not looked for'}`);
    return undefined;
  }
  context.diagnostics.push(...file.diagnostics);
  return file;
}

function loadBlock(context: LoadContext, map: YamlMap, outer: Surroundings, id: string): Block[] {
  checkKeywords(context, map, 'block', 'a block');
  const inner = surround(context, map, outer);
  const part = (key: string, as: string): Node[] => {
    const entry = entryOf(map, key);
    return entry ? loadNodes(context, entry.value, inner, (n) => `${id}.${as}.${n}`) : [];
  };
  const body = entryOf(map, 'block');
  if (!body || isNothing(body.value)) {
    const place = body?.keyRange ?? map.entries[0]?.keyRange ?? map.range;
    report(context, place, 'a block needs tasks', 'put them under "block:"');
  }
  const name = entryOf(map, 'name');
  const lease = entryOf(map, 'lease');
  const clause = lease && loadLease(context, lease, inner, id);
  return [
    {
      kind: 'block',
      id,
      name: (name && readText(context, name)) ?? 'block',
      range: map.range,
      body: part('block', 'body'),
      rescue: part('rescue', 'rescue'),
      always: part('always', 'always'),
      ...(clause && { lease: clause }),
    },
  ];
}

function loadLease(context: LoadContext, entry: YamlEntry, outer: Surroundings, id: string): LeaseClause | undefined {
  if (entry.value.kind !== 'map') {
    report(context, entry.value.range, `lease must be a map with a lease module, not ${describeNode(entry.value)}`);
    return undefined;
  }
  const task = loadTask(context, entry.value, outer, `${id}.lease`, 'lease');
  const onFailure = entryOf(entry.value, 'on_failure');
  const choice = onFailure ? readText(context, onFailure) : 'auto';
  if (choice !== 'auto' && choice !== 'keep' && choice !== 'release') {
    if (onFailure && choice !== undefined) {
      report(context, onFailure.value.range, `on_failure must be one of auto, keep, release, not "${choice}"`);
    }
    return undefined;
  }
  return task && { task, onFailure: choice };
}

/** Loads one task. `kind` says whether its module must be a lease or must be none. */
export function loadTask(
  context: LoadContext,
  map: YamlMap,
  outer: Surroundings,
  id: string,
  kind: 'task' | 'lease' = 'task',
): Task | undefined {
  const used = findModule(context, map, kind);
  const inner = surround(context, map, outer);
  const read = <T>(key: string, reader: (context: LoadContext, entry: YamlEntry) => T): T | undefined => {
    const entry = entryOf(map, key);
    return entry && reader(context, entry);
  };
  const nameEntry = entryOf(map, 'name');
  const name = nameEntry && readTextValue(context, nameEntry);
  const loop = read('loop', readLoop);
  const register = read('register', readText);
  const registerEntry = entryOf(map, 'register');
  const isRegisterFine =
    register === undefined || !registerEntry || checkVariableName(context, register, registerEntry.value.range);
  const until = read('until', readConditions) ?? [];
  const changedWhen = read('changed_when', readConditions);
  const failedWhen = read('failed_when', readConditions);
  const ignoreErrors = read('ignore_errors', readFlag);
  const notify = read('notify', (c, entry) => readTexts(c, entry)) ?? [];
  context.notified.push(...notify.map(({ text, range }) => ({ name: text, range })));
  const retries = read('retries', (c, entry) => readCount(c, entry, 0));
  const delayMs = read('delay', readDurationMs);
  const runOnce = read('run_once', readRunOnce);
  const args = used && readArguments(context, used.module, used.entry);
  if (!used || !args) return undefined;
  const { importedFrom: _, ...surroundings } = inner;
  return {
    kind: 'task',
    id,
    name: name ? textOf(nameEntry.value) : used.module.name,
    ...(name && !name.isLiteral && { nameTemplate: name }),
    range: map.range,
    module: used.module,
    args,
    ...surroundings,
    defaults: [],
    delegateFacts: false,
    loopControl: { variable: 'item', pauseMs: 0 },
    listen: [],
    folders: [dirname(map.range.source.path), dirname(outer.importedFrom[0] ?? '')],
    ...(runOnce && { runOnce }),
    ...(loop && { loop }),
    ...(register !== undefined && isRegisterFine && { register }),
    notify: notify.map(({ text }) => text),
    until,
    // As in Ansible: three more attempts, five seconds apart.
    retries: retries ?? (until.length > 0 ? 3 : 0),
    delayMs: delayMs ?? 5000,
    ...(changedWhen && { changedWhen }),
    ...(failedWhen && { failedWhen }),
    ...(ignoreErrors && { ignoreErrors }),
  };
}

function readRunOnce(context: LoadContext, entry: YamlEntry): 'run' | 'batch' | undefined {
  if (entry.value.kind === 'scalar' && entry.value.value === 'batch') return 'batch';
  return readBoolean(context, entry) ? 'run' : undefined;
}

function textOf(node: YamlNode): string {
  return node.kind === 'scalar' ? String(node.value) : '';
}

import { dirname, join } from 'node:path';
import { didYouMean } from '../base/diagnostic.ts';
import { compileNode } from './compile.ts';
import { readBoolean, readSerial, readText, readTexts, readVariables } from './fields.ts';
import { checkKeywords } from './keywords.ts';
import { attempt, type LoadContext, report } from './load-context.ts';
import { loadNodes, readableFile } from './load-tasks.ts';
import type { Play, Task } from './playbook.ts';
import { readsFacts } from './references.ts';
import { noSurroundings, type Surroundings, surround } from './surroundings.ts';
import type { Value, Variables } from './value.ts';
import { describeNode, entryOf, type YamlEntry, type YamlMap, type YamlNode } from './yaml.ts';

/** Loads one play. */
export function loadPlay(shared: LoadContext, node: YamlNode, id: string): Play | undefined {
  if (node.kind !== 'map') {
    report(shared, node.range, `a play must be a map, not ${describeNode(node)}`, 'start it with "- hosts: …"');
    return undefined;
  }
  const context: LoadContext = { ...shared, notified: [] };
  checkKeywords(context, node, 'play', 'a play');
  const read = <T>(key: string, reader: (context: LoadContext, entry: YamlEntry) => T): T | undefined => {
    const entry = entryOf(node, key);
    return entry && reader(context, entry);
  };
  const hosts = readHosts(context, node);
  const around = surround(context, node, noSurroundings(node.range.source.path));
  const files = read('vars_files', readVariableFiles) ?? [];
  const vars = new Map([...around.vars, ...files].flatMap((layer) => [...layer]));
  // The play's own variables lie under results and facts, so they are a layer apart from those of its tasks.
  const surroundings: Surroundings = { ...around, vars: [] };
  const tasks = read('tasks', (c, e) => loadNodes(c, e.value, surroundings, (n) => `${id}/${n}`)) ?? [];
  const handlers = read('handlers', (c, e) => loadHandlers(c, e, surroundings, id)) ?? [];
  checkNotified(context, handlers);
  const name = read('name', readText);
  const serial = read('serial', readSerial) ?? { kind: 'batches', sizes: [] };
  const anyErrorsFatal = read('any_errors_fatal', readBoolean) ?? false;
  const gatherFacts = read('gather_facts', readBoolean);
  if (!hosts) return undefined;
  return {
    id,
    name: name ?? writtenText(hosts),
    range: node.entries[0]?.keyRange ?? node.range,
    hosts,
    order: 'inventory',
    inputs: [],
    prompts: [],
    defaults: new Map(),
    vars,
    strategy: 'linear',
    serial,
    anyErrorsFatal,
    forceHandlers: false,
    gatherFacts: gatherFacts ?? readsFacts({ vars, tasks, handlers }),
    tasks,
    handlers,
  };
}

function readHosts(context: LoadContext, play: YamlMap): Value | undefined {
  const entry = entryOf(play, 'hosts');
  if (!entry) {
    const range = play.entries[0]?.keyRange ?? play.range;
    const isTask = play.entries.some(({ key }) => context.registry.get(key) !== undefined);
    report(context, range, 'a play needs "hosts"', isTask ? 'tasks stand under "tasks:" of a play' : undefined);
    return undefined;
  }
  const { value } = entry;
  const items = value.kind === 'list' ? value.items : [value];
  const isText = items.every(
    (item) => item.kind === 'scalar' && typeof item.value === 'string' && item.value.trim() !== '',
  );
  if (isText && items.length > 0) return attempt(context, () => compileNode(value, context.cache));
  report(
    context,
    value.range,
    `hosts must be a host pattern, not ${describeNode(value)}`,
    'write "hosts: all", or a group',
  );
  return undefined;
}

function readVariableFiles(context: LoadContext, entry: YamlEntry): Variables[] {
  return readTexts(context, entry).flatMap(({ text, range }) => {
    const namedBy: YamlNode = { kind: 'scalar', value: text, isExpression: false, range };
    const file = readableFile(context, join(dirname(range.source.path), text), namedBy);
    if (!file?.root) return [];
    const keyRange = { ...file.root.range, end: file.root.range.start + 1 };
    return [readVariables(context, { key: 'a file of variables', keyRange, value: file.root })];
  });
}

function loadHandlers(context: LoadContext, entry: YamlEntry, outer: Surroundings, id: string): Task[] {
  const handlers = new Map<string, Task>();
  for (const node of loadNodes(context, entry.value, outer, (n) => `${id}/handlers/${n}`)) {
    if (node.kind !== 'task') {
      report(context, node.range, 'a block cannot be a handler', 'write its tasks as handlers, and notify each');
    } else if (node.nameTemplate) {
      report(context, node.nameTemplate.range, "a handler's name must be written out: tasks notify it by this name");
    } else if (handlers.has(node.name)) {
      report(context, node.range, `there are two handlers "${node.name}"`);
    } else handlers.set(node.name, node);
  }
  return [...handlers.values()];
}

function checkNotified(context: LoadContext, handlers: readonly Task[]): void {
  const names = handlers.map((handler) => handler.name);
  for (const { name, range } of context.notified) {
    if (names.includes(name)) continue;
    const known = names.length > 0 ? `the handlers are: ${names.join(', ')}` : 'this play has no handlers';
    report(context, range, `there is no handler "${name}"`, didYouMean(name, names) ?? known);
  }
}

function writtenText(value: Value): string {
  const { source, start, end } = value.range;
  return source.text.slice(start, end).replace(/^(["'])(.*)\1$/s, '$2');
}

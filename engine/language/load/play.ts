import { dirname } from 'node:path';
import { compileNode } from '../compile.ts';
import type { Node, Play, Task } from '../playbook.ts';
import type { Value, Variables } from '../value.ts';
import { describeNode, entryOf, type YamlEntry, type YamlMap, type YamlNode } from '../yaml.ts';
import { loadBake } from './bake.ts';
import { attempt, foundNothing, type LoadContext, report } from './context.ts';
import { isText, readText, readTexts, readVariables } from './fields.ts';
import { loadHandlers, resolveNotifications } from './handlers.ts';
import { checkGiven, type DeclaredInputs, noInputs, readInputs } from './inputs.ts';
import { flushBetween } from './meta.ts';
import { readPrompts } from './prompts.ts';
import { beside } from './read-sources.ts';
import { loadRoles } from './role.ts';
import { readScheduling } from './scheduling-fields.ts';
import { noSurroundings, type Surroundings, surround } from './surroundings.ts';
import { loadNodes, readableFile } from './tasks.ts';
import { checkKeywords } from './unknown-keys.ts';

/** What `import_playbook` hands down to plays. */
export interface Importing extends Pick<Surroundings, 'when' | 'tags' | 'vars'> {
  /** The playbooks that led here, outermost first, the play's own last. */
  readonly playbooks: readonly string[];
}

/** Loads one play. */
export function loadPlay(shared: LoadContext, node: YamlNode, id: string, importing: Importing): Play | undefined {
  if (node.kind !== 'map') {
    report(shared, node.range, `a play must be a map, not ${describeNode(node)}`, 'start it with "- hosts: …"');
    return undefined;
  }
  const context: LoadContext = { ...shared, found: foundNothing() };
  checkPlayKeywords(context, node);
  const read = <T>(key: string, reader: (context: LoadContext, entry: YamlEntry) => T): T | undefined => {
    const entry = entryOf(node, key);
    return entry && reader(context, entry);
  };
  const hosts = readHosts(context, node);
  const around = surround(context, node, outermost(context, node, id, importing));
  const files = read('vars_files', readVariableFiles) ?? [];
  const vars = new Map([...around.vars, ...importing.vars, ...files].flatMap((layer) => [...layer]));
  const { inputs, defaults } = readOwnInputs(context, node, vars);
  const prompts = read('vars_prompt', readPrompts) ?? [];
  // The play's own variables lie under results and facts, so they are a layer apart from those of its tasks.
  const surroundings: Surroundings = { ...around, vars: [] };
  const tasks = loadParts(context, node, surroundings, id);
  const bake = loadBake(context, node, surroundings, id);
  const handlers = loadAllHandlers(context, node, surroundings, id);
  const name = read('name', readText);
  const scheduling = readScheduling(context, node);
  if (!hosts) return undefined;
  const range = node.entries[0]?.keyRange ?? node.range;
  const head = { id, name: name ?? writtenText(hosts), range, hosts };
  return { ...head, inputs, prompts, defaults, vars, ...scheduling, ...(bake && { bake }), tasks, handlers };
}

/** Tasks that were written without a play around them get one hint, and not a mistake for each of their keywords. */
function checkPlayKeywords(context: LoadContext, play: YamlMap): void {
  const modules = play.entries.filter(({ key }) => context.registry.get(key) !== undefined);
  if (modules.length > 0 && !entryOf(play, 'hosts')) return;
  for (const { key, keyRange } of modules)
    report(context, keyRange, `"${key}" is a module and no keyword of a play`, underTasks);
  checkKeywords(context, { ...play, entries: play.entries.filter((e) => !modules.includes(e)) }, 'play', 'a play');
}

const underTasks = 'tasks stand under "tasks:" of a play';

function isTask(context: LoadContext, map: YamlMap): boolean {
  return map.entries.some(({ key }) => context.registry.get(key) !== undefined);
}

function outermost(context: LoadContext, play: YamlMap, id: string, { when, tags }: Importing): Surroundings {
  const { path } = play.range.source;
  const folders = [path, context.sources.playbook].map((file) => dirname(file));
  return { ...noSurroundings([path], [...new Set(folders)], id), when, tags };
}

/** `pre_tasks`, `roles`, `tasks` and `post_tasks`; handlers that were notified run between them. */
function loadParts(context: LoadContext, play: YamlMap, outer: Surroundings, id: string): Node[] {
  const part = (key: string, prefix: string): Node[] => {
    const entry = entryOf(play, key);
    return entry ? loadNodes(context, entry.value, outer, (n) => `${prefix}/${n}`) : [];
  };
  const flush = (key: string, flushId: string): Node[] => {
    const entry = entryOf(play, key);
    return entry ? [flushBetween(flushId, entry)] : [];
  };
  const roles = entryOf(play, 'roles');
  return [
    ...part('pre_tasks', `${id}/pre`),
    ...flush('pre_tasks', `${id}/pre/flush`),
    ...(roles ? loadRoles(context, roles, outer, (n) => `${id}/roles/${n}`) : []),
    ...part('tasks', id),
    ...flush('post_tasks', `${id}/post/flush`),
    ...part('post_tasks', `${id}/post`),
  ];
}

/** The play's handlers, then those of the roles that its tasks use: the tasks are loaded already. */
function loadAllHandlers(context: LoadContext, play: YamlMap, outer: Surroundings, id: string): Task[] {
  const entry = entryOf(play, 'handlers');
  const own = entry ? loadHandlers(context, entry.value, outer, (n) => `${id}/handlers/${n}`) : [];
  const ofRoles = [...context.found.roleHandlers.values()].flat();
  resolveNotifications(context, own, ofRoles);
  return [...own, ...ofRoles];
}

function readOwnInputs(context: LoadContext, play: YamlMap, vars: Variables): DeclaredInputs {
  const entry = entryOf(play, 'inputs');
  const declarations = entry && declarationsIn(context, entry);
  const declared = declarations ? readInputs(context, declarations) : noInputs();
  checkGiven(context, declared, vars, vars.keys(), 'the play');
  return declared;
}

/** What declares the inputs: a map, or the file that a text names, which several plays can share. */
function declarationsIn(context: LoadContext, entry: YamlEntry): YamlNode | undefined {
  const { value } = entry;
  if (value.kind !== 'scalar' || typeof value.value !== 'string') return value;
  const name = readText(context, entry);
  return name === undefined ? undefined : readableFile(context, beside(value.range.source.path, name), value)?.root;
}

function readHosts(context: LoadContext, play: YamlMap): Value | undefined {
  const entry = entryOf(play, 'hosts');
  if (!entry) {
    const range = play.entries[0]?.keyRange ?? play.range;
    const hint = isTask(context, play) ? underTasks : undefined;
    report(context, range, 'a play needs "hosts"', hint);
    return undefined;
  }
  const { value } = entry;
  const items = value.kind === 'list' ? value.items : [value];
  const areTexts = items.every((item) => isText(item) && item.value.trim() !== '');
  if (areTexts && items.length > 0) return attempt(context, () => compileNode(value, context.cache));
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
    const file = readableFile(context, beside(range.source.path, text), namedBy);
    if (!file?.root) return [];
    const keyRange = { ...file.root.range, end: file.root.range.start + 1 };
    return [readVariables(context, { key: 'a file of variables', keyRange, value: file.root })];
  });
}

function writtenText(value: Value): string {
  const { source, start, end } = value.range;
  return source.text.slice(start, end).replace(/^(["'])(.*)\1$/s, '$2');
}

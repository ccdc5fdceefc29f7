import { dirname } from 'node:path';
import { shortDigest } from '../../base/short-digest.ts';
import type { Task } from '../playbook.ts';
import { entryOf, type YamlEntry, type YamlMap, type YamlNode } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import {
  checkVariableName,
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
import { readLoopControl } from './loop-control.ts';
import type { RoleFolder } from './role-folders.ts';
import { handedDown, type Surroundings, surround } from './surroundings.ts';
import { readArguments } from './task-arguments.ts';
import { findModule, type TaskKind } from './task-module.ts';

/** Loads one task. `kind` says whether its module must be a lease or must be none. */
export function loadTask(
  context: LoadContext,
  map: YamlMap,
  outer: Surroundings,
  id: string,
  kind: TaskKind = 'task',
): Task | undefined {
  const used = findModule(context, map, kind);
  const inner = surround(context, map, outer);
  const fields = readFields(context, map, inner.within.roles.at(-1));
  const loopControl = readLoopControl(context, map, inner);
  const args = used && readArguments(context, used.module, used.entry, inner.moduleDefaults.get(used.module.name));
  if (!used || !args) return undefined;
  return {
    kind: 'task',
    id,
    range: map.range,
    digest: shortDigest(map.range.source.text.slice(map.range.start, map.range.end)),
    module: used.module,
    args,
    ...handedDown(inner),
    ...nameOf(context, map, used.module.name),
    ...fields,
    loopControl,
    folders: foldersOf(map, outer),
  };
}

/** The name of a task, or what stands for it; of a template its text, and the template. */
export function nameOf(context: LoadContext, map: YamlMap, otherwise: string): Pick<Task, 'name' | 'nameTemplate'> {
  const entry = entryOf(map, 'name');
  const name = entry && readTextValue(context, entry);
  if (!name) return { name: otherwise };
  return { name: textOf(entry.value), ...(!name.isLiteral && { nameTemplate: name }) };
}

type Fields = Pick<
  Task,
  | 'runOnce'
  | 'delegateFacts'
  | 'loop'
  | 'register'
  | 'notify'
  | 'listen'
  | 'until'
  | 'retries'
  | 'delayMs'
  | 'changedWhen'
  | 'failedWhen'
  | 'ignoreErrors'
>;

/** The keywords of a task itself, besides what blocks and plays can hand down. */
function readFields(context: LoadContext, map: YamlMap, role: RoleFolder | undefined): Fields {
  const read = <T>(key: string, reader: (context: LoadContext, entry: YamlEntry) => T): T | undefined => {
    const entry = entryOf(map, key);
    return entry && reader(context, entry);
  };
  const loop = read('loop', readLoop);
  const register = read('register', readVariableName);
  const until = read('until', readConditions) ?? [];
  const changedWhen = read('changed_when', readConditions);
  const failedWhen = read('failed_when', readConditions);
  const ignoreErrors = read('ignore_errors', readFlag);
  const runOnce = read('run_once', readRunOnce);
  return {
    ...(runOnce && { runOnce }),
    delegateFacts: read('delegate_facts', readBoolean) ?? false,
    ...(loop && { loop }),
    ...(register !== undefined && { register }),
    notify: read('notify', (c, entry) => readNotify(c, entry, role)) ?? [],
    listen: read('listen', (c, entry) => readTexts(c, entry).map(({ text }) => text)) ?? [],
    until,
    // As in Ansible: three more attempts, five seconds apart.
    retries: read('retries', (c, entry) => readCount(c, entry, 0)) ?? (until.length > 0 ? 3 : 0),
    delayMs: read('delay', readDurationMs) ?? 5000,
    ...(changedWhen && { changedWhen }),
    ...(failedWhen && { failedWhen }),
    ...(ignoreErrors && { ignoreErrors }),
  };
}

function readVariableName(context: LoadContext, entry: YamlEntry): string | undefined {
  const name = readText(context, entry);
  return name !== undefined && checkVariableName(context, name, entry.value.range) ? name : undefined;
}

/** What a task notifies, as it is written: it is made names of handlers when all of them are known. */
function readNotify(context: LoadContext, entry: YamlEntry, role: RoleFolder | undefined): string[] {
  const written = readTexts(context, entry);
  const names = written.map(({ text }) => text);
  context.found.notifications.push({ names, written, ...(role && { role }) });
  return names;
}

function readRunOnce(context: LoadContext, entry: YamlEntry): 'run' | 'batch' | undefined {
  const value = entry.value.kind === 'scalar' ? entry.value.value : undefined;
  if (value === 'batch') return 'batch';
  if (typeof value === 'string' && !/^(yes|no|on|off)$/i.test(value)) {
    report(context, entry.value.range, `run_once must be true, false or batch, not "${value}"`);
    return undefined;
  }
  return readBoolean(context, entry) ? 'run' : undefined;
}

function foldersOf(map: YamlMap, { within }: Surroundings): string[] {
  const role = within.roles.at(-1)?.folder;
  const own = dirname(map.range.source.path);
  return [...new Set([...(role === undefined ? [] : [role]), own, ...within.folders])];
}

function textOf(node: YamlNode): string {
  return node.kind === 'scalar' ? String(node.value) : '';
}

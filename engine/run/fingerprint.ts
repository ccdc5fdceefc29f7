import { dirname, relative, resolve } from 'node:path';
import { programFile } from '../base/installation.ts';
import { readVersion } from '../base/version.ts';
import { builtInFolder } from '../module/loader.ts';
import { canonical } from './canonical.ts';
import { findControllerFiles } from './controller-files.ts';
import type { LoadedRun } from './load.ts';
import { filesOfFolder, moduleFiles } from './module-files.ts';
import { createReadRecord } from './read-record.ts';
import type { RunRequest } from './request.ts';
import type { RunKey } from './run-key.ts';

/** By name: a path, a variable, a part of an answer. */
type Digests = Readonly<Record<string, string>>;

/**
 * What a run was made of, to be compared later. Digests are made with the controller's own key, so that nobody else can
 * try which content or value one is of.
 */
export interface Fingerprint {
  /** The key that the digests were made with. */
  readonly key: string;
  /** The engine's version. */
  readonly engine: string;
  /** Of all built-in modules together; after a build, of the program that they are part of. */
  readonly builtInModules: string;
  /** What was asked for, in words: playbook, inventory, limit, tags. */
  readonly options: Readonly<Record<string, string>>;
  /**
   * Playbooks, includes, roles, variables, templates, custom modules and what they import, inventories, and the sources of
   * `files/`: all that was read when this was taken.
   */
  readonly files: Digests;
  /** What inventory programs and clusters said: by command line, and then by part of the answer. */
  readonly outputs: Readonly<Record<string, Digests>>;
  /** `-e`, by name. */
  readonly extraVars: Digests;
  /** What was answered to prompts, by play and name. */
  readonly answers: Digests;
}

/** What a fingerprint is taken of. */
export interface FingerprintOf {
  readonly request: Pick<RunRequest, 'playbook' | 'inventory' | 'limit' | 'tags' | 'skipTags' | 'moduleDirectories'>;
  readonly loaded: Pick<LoadedRun, 'registry' | 'playbook' | 'extraVars' | 'answers' | 'read'>;
  readonly key: RunKey;
  /** Files to look at besides those that were read by now: an earlier run may have read more, and later. */
  readonly also?: readonly string[];
}

/** Takes the fingerprint of a run that was loaded; files that it has read since then are in it too. */
export async function takeFingerprint({ request, loaded, key, also = [] }: FingerprintOf): Promise<Fingerprint> {
  const { read } = loaded;
  const custom = await moduleFiles(customModules(loaded.registry));
  const sources = await findControllerFiles(loaded.playbook, dirname(resolve(request.playbook)));
  const unread = [...custom, ...sources, ...also.filter((path) => !read.files.has(path))];
  for (const path of unread) await read.noteFile(path);
  const digest = (what: string, value: unknown): string => key.digest(what, canonical(value));
  const digestsOf = (what: string, values: Readonly<Record<string, unknown>>): Digests =>
    mapValues(values, (value, name) => digest(`${what} ${name}`, value));
  return {
    key: key.id,
    engine: readVersion(),
    builtInModules: digest('modules', await sumsOfOwnFiles()),
    options: optionsOf(request),
    files: digestsOf('file', Object.fromEntries([...read.files].sort(byName))),
    outputs: mapValues(Object.fromEntries([...read.outputs].sort(byName)), (parts, name) =>
      digestsOf(`output ${name}`, parts),
    ),
    extraVars: digestsOf('-e', loaded.extraVars),
    answers: digestsOf('answer', answersOf(loaded.answers)),
  };
}

/** How what is now differs from what was then, one line for people each; none when nothing does. */
export function differences(before: Fingerprint, now: Fingerprint): string[] {
  if (before.key !== now.key) return ['it was recorded with the key of another controller, so nothing can be compared'];
  return [
    ...(before.engine === now.engine ? [] : [`runbook was ${before.engine} and is ${now.engine}`]),
    ...(before.builtInModules === now.builtInModules ? [] : ["runbook's own code changed"]),
    ...differencesOfOptions(before.options, now.options),
    ...compare(before.files, now.files, { gone: 'is gone', isNew: 'is new', other: 'changed' }),
    ...differencesOfOutputs(before.outputs, now.outputs),
    ...compare(
      before.extraVars,
      now.extraVars,
      { gone: 'is not given', isNew: 'was not given', other: 'is another' },
      '-e ',
    ),
    ...compare(
      before.answers,
      now.answers,
      { gone: 'is not asked', isNew: 'was not asked', other: 'is another' },
      'the answer to ',
    ),
  ];
}

function differencesOfOptions(before: Fingerprint['options'], now: Fingerprint['options']): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const shown = (value: string | undefined): string => value ?? 'not given';
  return names
    .filter((name) => before[name] !== now[name])
    .map((name) => `${name} was ${shown(before[name])} and is ${shown(now[name])}`);
}

function differencesOfOutputs(before: Fingerprint['outputs'], now: Fingerprint['outputs']): string[] {
  const commands = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return commands.flatMap((command) => {
    const words = { gone: 'is gone', isNew: 'is new', other: 'changed' };
    const parts = compare(before[command] ?? {}, now[command] ?? {}, words);
    return parts.length === 0 ? [] : [`what "${command}" says changed: ${shortened(parts)}`];
  });
}

interface Words {
  readonly gone: string;
  readonly isNew: string;
  readonly other: string;
}

function compare(before: Digests, now: Digests, words: Words, prefix = ''): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names.flatMap((name) => {
    const [was, is] = [before[name], now[name]];
    if (was === is) return [];
    const word = is === undefined ? words.gone : was === undefined ? words.isNew : words.other;
    return [`${prefix}${name} ${word}`];
  });
}

function shortened(parts: readonly string[]): string {
  return parts.length <= 8 ? parts.join(', ') : `${parts.slice(0, 8).join(', ')} and ${parts.length - 8} more`;
}

function optionsOf(request: FingerprintOf['request']): Readonly<Record<string, string>> {
  const lists = {
    inventory: request.inventory,
    tags: request.tags,
    skip_tags: request.skipTags,
    modules: request.moduleDirectories,
  };
  const given = Object.entries(lists).filter(([, values]) => values.length > 0);
  return {
    playbook: request.playbook,
    ...(request.limit !== undefined && { limit: request.limit }),
    ...Object.fromEntries(given.map(([name, values]) => [name, values.join(' ')])),
  };
}

function customModules(registry: LoadedRun['registry']): readonly string[] {
  return registry
    .names()
    .map((name) => registry.origin(name))
    .filter((origin) => origin !== 'built-in');
}

function answersOf(answers: LoadedRun['answers']): Readonly<Record<string, unknown>> {
  const all = [...answers].flatMap(([play, values]) =>
    Object.entries(values).map(([name, value]) => [`${name} of ${play}`, value] as const),
  );
  return Object.fromEntries(all);
}

async function sumsOfOwnFiles(): Promise<Digests> {
  const record = createReadRecord();
  const files = programFile === undefined ? await filesOfFolder(builtInFolder()) : [programFile];
  await Promise.all(files.map((path) => record.noteFile(path)));
  return Object.fromEntries([...record.files].map(([path, sum]) => [relative(builtInFolder(), resolve(path)), sum]));
}

function mapValues<A, B>(values: Readonly<Record<string, A>>, make: (value: A, name: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, make(value, name)]));
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

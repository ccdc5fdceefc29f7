import {
  readBoolean,
  readConditions,
  readDurationMs,
  readEnvironment,
  readFlag,
  readTexts,
  readTextValue,
  readVariables,
} from './fields.ts';
import type { LoadContext } from './load-context.ts';
import type { Expression, Value, Variables } from './value.ts';
import { entryOf, type YamlEntry, type YamlMap } from './yaml.ts';

/** What plays, blocks and imports hand down to the tasks in them. */
export interface Surroundings {
  readonly when: readonly Expression[];
  readonly vars: readonly Variables[];
  readonly environment: readonly Value[];
  readonly tags: readonly string[];
  readonly become?: Value;
  readonly becomeUser?: Value;
  readonly delegateTo?: Value;
  readonly noLog: boolean;
  readonly timeoutMs?: number;
  /** The files whose imports led here, outermost first. */
  readonly importedFrom: readonly string[];
}

/** Nothing around. */
export function noSurroundings(path: string): Surroundings {
  return { when: [], vars: [], environment: [], tags: [], noLog: false, importedFrom: [path] };
}

/** The surroundings inside a map: its own keywords added to those around it, outer ones first, the nearest one winning. */
export function surround(context: LoadContext, map: YamlMap, outer: Surroundings): Surroundings {
  const read = <T>(key: string, reader: (context: LoadContext, entry: YamlEntry) => T): T | undefined => {
    const entry = entryOf(map, key);
    return entry && reader(context, entry);
  };
  const vars = read('vars', readVariables);
  const environment = read('environment', readEnvironment);
  const become = read('become', readFlag) ?? outer.become;
  const becomeUser = read('become_user', readTextValue) ?? outer.becomeUser;
  const delegateTo = read('delegate_to', readTextValue) ?? outer.delegateTo;
  const timeoutMs = read('timeout', readDurationMs) ?? outer.timeoutMs;
  const tags = read('tags', (c, entry) => readTexts(c, entry, ',')) ?? [];
  return {
    when: [...outer.when, ...(read('when', readConditions) ?? [])],
    vars: vars ? [...outer.vars, vars] : outer.vars,
    environment: environment ? [...outer.environment, environment] : outer.environment,
    tags: [...new Set([...outer.tags, ...tags.map((tag) => tag.text)])],
    noLog: read('no_log', readBoolean) ?? outer.noLog,
    importedFrom: outer.importedFrom,
    ...(become && { become }),
    ...(becomeUser && { becomeUser }),
    ...(delegateTo && { delegateTo }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

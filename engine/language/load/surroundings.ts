import type { Expression, Value, Variables } from '../value.ts';
import { entryOf, type YamlEntry, type YamlMap } from '../yaml.ts';
import type { LoadContext } from './context.ts';
import {
  readBoolean,
  readConditions,
  readCount,
  readDurationMs,
  readEnvironment,
  readFlag,
  readTexts,
  readTextValue,
  readVariables,
} from './fields.ts';
import { type ModuleDefaults, readModuleDefaults } from './module-defaults.ts';
import type { RoleFolder } from './role-folders.ts';

/** What plays, roles, blocks, imports and includes hand down to the tasks in them. */
export interface Surroundings {
  readonly when: readonly Expression[];
  readonly defaults: readonly Variables[];
  readonly vars: readonly Variables[];
  readonly environment: readonly Value[];
  readonly tags: readonly string[];
  readonly become?: Value;
  readonly becomeUser?: Value;
  readonly delegateTo?: Value;
  readonly noLog: boolean;
  readonly timeoutMs?: number;
  readonly throttle?: number;
  readonly moduleDefaults: ModuleDefaults;
  readonly within: Within;
}

/** Where a list of tasks stands. */
export interface Within {
  /** The id of the play. */
  readonly play: string;
  /** The files whose imports and includes led here, outermost first: the playbook is the first one. */
  readonly files: readonly string[];
  /** Where files that tasks name are looked for after the task file's own folder; nearest first. */
  readonly folders: readonly string[];
  /** The roles around, outermost first. */
  readonly roles: readonly RoleFolder[];
  /** The names of item and number of the loops around: a loop inside has to choose others. */
  readonly loopVariables: readonly string[];
  /** The list is in the rescue of a block, at any depth. */
  readonly isRescue?: true;
  /** The list is one of handlers. */
  readonly isHandlers?: true;
}

/** Nothing around in a play; the other parameters are those of {@link Within}. */
export function noSurroundings(files: readonly string[], folders: readonly string[], play: string): Surroundings {
  return {
    when: [],
    defaults: [],
    vars: [],
    environment: [],
    tags: [],
    noLog: false,
    moduleDefaults: new Map(),
    within: { play, files, folders, roles: [], loopVariables: [] },
  };
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
  const throttle = read('throttle', (c, entry) => readCount(c, entry, 1)) ?? outer.throttle;
  const when = read('when', readConditions);
  const tags = read('tags', (c, entry) => readTexts(c, entry, ','))?.map((tag) => tag.text);
  return {
    when: when ? [...outer.when, ...when] : outer.when,
    defaults: outer.defaults,
    vars: vars ? [...outer.vars, vars] : outer.vars,
    environment: environment ? [...outer.environment, environment] : outer.environment,
    tags: tags ? [...new Set([...outer.tags, ...tags])] : outer.tags,
    noLog: read('no_log', readBoolean) ?? outer.noLog,
    moduleDefaults:
      read('module_defaults', (c, entry) => readModuleDefaults(c, entry, outer.moduleDefaults)) ?? outer.moduleDefaults,
    within: outer.within,
    ...(become && { become }),
    ...(becomeUser && { becomeUser }),
    ...(delegateTo && { delegateTo }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(throttle !== undefined && { throttle }),
  };
}

/** What is handed down, as a task has it. */
export function handedDown(inner: Surroundings): Omit<Surroundings, 'moduleDefaults' | 'within'> {
  const { moduleDefaults: _, within: __, ...rest } = inner;
  return rest;
}

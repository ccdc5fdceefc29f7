import { didYouMean } from '../../base/diagnostic.ts';
import { describeNode, type YamlEntry, type YamlMap } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import { isNothing } from './fields.ts';

/** `module_defaults`: for a module's name the arguments that its tasks have unless they give them. */
export type ModuleDefaults = ReadonlyMap<string, readonly YamlEntry[]>;

/** Reads `module_defaults` over those around: the nearest one wins, argument by argument. */
export function readModuleDefaults(context: LoadContext, entry: YamlEntry, outer: ModuleDefaults): ModuleDefaults {
  const { key, value } = entry;
  const all = new Map(outer);
  if (value.kind !== 'map') {
    if (!isNothing(value)) report(context, value.range, `${key} must be a map, not ${describeNode(value)}`);
    return all;
  }
  for (const module of value.entries) {
    const own = argumentsOf(context, module);
    if (own) all.set(module.key, withDefaults(own, all.get(module.key) ?? []));
  }
  return all;
}

/** Arguments, and behind them the defaults of those that they do not give. */
export function withDefaults(given: readonly YamlEntry[], defaults: readonly YamlEntry[]): readonly YamlEntry[] {
  const names = new Set(given.map((entry) => entry.key));
  return [...given, ...defaults.filter((entry) => !names.has(entry.key))];
}

/** The arguments of one module; notes what is no argument of it. Their values are checked in each task that gets them. */
function argumentsOf(context: LoadContext, { key, keyRange, value }: YamlEntry): YamlMap['entries'] | undefined {
  const module = context.registry.get(key);
  if (!module) {
    const isGroup = key.startsWith('group/');
    const hint = isGroup ? 'name each module' : didYouMean(key.split('.').at(-1) ?? key, context.registry.names());
    report(context, keyRange, isGroup ? 'groups of modules are not supported' : `unknown module "${key}"`, hint);
    return undefined;
  }
  if (value.kind !== 'map') {
    report(context, value.range, `the defaults of ${key} must be a map, not ${describeNode(value)}`);
    return undefined;
  }
  const { properties, additionalProperties } = module.schema;
  const names = Object.keys(properties);
  for (const argument of additionalProperties === false ? value.entries : []) {
    if (Object.hasOwn(properties, argument.key)) continue;
    const hint = didYouMean(argument.key, names) ?? `it takes: ${names.join(', ')}`;
    report(context, argument.keyRange, `${key}: unknown argument "${argument.key}"`, hint);
  }
  return value.entries.filter((argument) => additionalProperties !== false || Object.hasOwn(properties, argument.key));
}

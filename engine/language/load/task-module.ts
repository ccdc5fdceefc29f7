import { didYouMean } from '../../base/diagnostic.ts';
import type { ModuleDefinition } from '../../module/contract.ts';
import { foreignModuleHint } from '../foreign-modules.ts';
import { isForeign, isKeyword, keywordsOf } from '../keywords.ts';
import type { YamlEntry, YamlMap } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import { reportForeign, reportUnknownKeyword } from './unknown-keys.ts';

/** What uses a module: the lease of a block uses one that is a lease. */
export type TaskKind = 'task' | 'handler' | 'lease';

/** The one key of a task that is a module's name; every other key must be a keyword. */
export function findModule(
  context: LoadContext,
  map: YamlMap,
  kind: TaskKind,
): { module: ModuleDefinition; entry: YamlEntry } | undefined {
  const keywords = keywordsOf(kind);
  const others = map.entries.filter((entry) => !keywords.has(entry.key));
  const found = others.flatMap((entry) => {
    const module = context.registry.get(entry.key);
    return module ? [{ module, entry }] : [];
  });
  const unknown = others.filter((entry) => !context.registry.get(entry.key));
  for (const entry of unknown) reportUnknownKey(context, entry, keywords, found[0]?.module, kind);
  const [first, second] = found;
  if (first && second) {
    const message = `a task has one module, this one has "${first.entry.key}" and "${second.entry.key}"`;
    report(context, second.entry.keyRange, message, 'write two tasks');
  }
  if (!first) {
    if (unknown.length === 0) {
      const range = map.entries[0]?.keyRange ?? map.range;
      report(context, range, `this ${kind} has no module`, `the modules are ${moduleNames(context, kind).join(', ')}`);
    }
    return undefined;
  }
  const isLease = first.module.kind === 'lease';
  if (isLease === (kind === 'lease')) return first;
  const message = isLease
    ? `"${first.module.name}" is a lease: it goes under lease: of a block`
    : `"${first.module.name}" is no lease`;
  report(context, first.entry.keyRange, message, isLease ? undefined : leaseHint(context));
  return undefined;
}

function leaseHint(context: LoadContext): string {
  const names = moduleNames(context, 'lease');
  return names.length > 0 ? `the leases are ${names.join(', ')}` : 'no module here is a lease';
}

function moduleNames(context: LoadContext, kind: TaskKind): string[] {
  return context.registry.names().filter((n) => (context.registry.get(n)?.kind === 'lease') === (kind === 'lease'));
}

function reportUnknownKey(
  context: LoadContext,
  entry: YamlEntry,
  keywords: ReadonlySet<string>,
  module: ModuleDefinition | undefined,
  kind: TaskKind,
): void {
  const { key, keyRange } = entry;
  if (isForeign(key)) return reportForeign(context, entry);
  const names = moduleNames(context, kind);
  // `ansible.builtin.copy` and `file_template` are known here under other names.
  const spelled = (key.split('.').at(-1) ?? key).replaceAll('_', '-');
  if (names.includes(spelled))
    return report(context, keyRange, `unknown module "${key}"`, `did you mean "${spelled}"?`);
  const keyword = didYouMean(key, keywords);
  const instead = module ? undefined : foreignModuleHint(key);
  if (instead !== undefined) return report(context, keyRange, `there is no module "${key}"`, instead);
  if (module && Object.hasOwn(module.schema.properties, key)) {
    return report(context, keyRange, `"${key}" is an argument of ${module.name}`, `indent it under "${module.name}:"`);
  }
  if (module || isKeyword(key) || (keyword !== undefined && didYouMean(key, names) === undefined)) {
    return reportUnknownKeyword(context, entry, kind, `a ${kind}`);
  }
  const hint = didYouMean(key, [...names, ...keywords]) ?? `runbook modules lists them: ${names.join(', ')}`;
  report(context, keyRange, `unknown module "${key}"`, hint);
}

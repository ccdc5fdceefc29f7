import { didYouMean } from '../../base/diagnostic.ts';
import { foreignKeywords, type Holder, holderNames, isForeign, keywords, keywordsOf } from '../keywords.ts';
import type { YamlEntry, YamlMap } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';

/** Notes a keyword of Ansible's that we do not have. */
export function reportForeign(context: LoadContext, entry: YamlEntry): void {
  const instead = foreignKeywords[entry.key];
  report(context, entry.keyRange, `"${entry.key}" is not supported${instead === undefined ? ' yet' : ''}`, instead);
}

/** Notes every key of a map that is no keyword of `holder`; `what` names the holder for people. */
export function checkKeywords(context: LoadContext, map: YamlMap, holder: Holder, what: string): void {
  const known = keywordsOf(holder);
  for (const entry of map.entries) {
    if (known.has(entry.key)) continue;
    if (isForeign(entry.key)) reportForeign(context, entry);
    else reportUnknownKeyword(context, entry, holder, what);
  }
}

/** Notes a key that is no keyword of `holder`. */
export function reportUnknownKeyword(context: LoadContext, entry: YamlEntry, holder: Holder, what: string): void {
  const elsewhere = keywords.find(({ name }) => name === entry.key)?.on.map((other) => holderNames[other]);
  if (!elsewhere) return reportUnknown(context, entry, [...keywordsOf(holder)], what);
  const places = [...new Set(elsewhere)]
    .slice(0, 4)
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1');
  report(context, entry.keyRange, `"${entry.key}" is no keyword of ${what}`, `it can stand on ${places}`);
}

/** Notes a key that something with these `known` keys does not have. */
export function reportUnknown(context: LoadContext, entry: YamlEntry, known: readonly string[], what: string): void {
  // A long list helps nobody: docs/language.md has it.
  const all = known.length > 12 ? undefined : `${what} takes: ${known.join(', ')}`;
  report(context, entry.keyRange, `unknown keyword "${entry.key}" of ${what}`, didYouMean(entry.key, known) ?? all);
}

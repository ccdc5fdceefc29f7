import type { Play } from '../playbook.ts';
import { describeNode, entryOf, type YamlEntry, type YamlFile, type YamlMap, type YamlNode } from '../yaml.ts';
import { type LoadContext, mayLoad, report } from './context.ts';
import { readText } from './fields.ts';
import { type Importing, loadPlay } from './play.ts';
import { beside } from './read-sources.ts';
import { noSurroundings, surround } from './surroundings.ts';
import { readableFile } from './tasks.ts';
import { checkKeywords } from './unknown-keys.ts';

/** Loads the plays of a playbook and those of the playbooks that it imports. `idOf` names the n-th. */
export function loadPlays(
  context: LoadContext,
  file: YamlFile,
  importing: Importing,
  idOf: (position: number) => string,
): Play[] {
  return itemsOf(context, file).flatMap((item, i) => {
    const imported = item.kind === 'map' ? entryOf(item, 'import_playbook') : undefined;
    if (item.kind !== 'map' || !imported) return loadPlay(context, item, idOf(i + 1), importing) ?? [];
    return importPlaybook(context, item, imported, importing, idOf(i + 1));
  });
}

function importPlaybook(
  context: LoadContext,
  map: YamlMap,
  entry: YamlEntry,
  importing: Importing,
  id: string,
): Play[] {
  checkKeywords(context, map, 'import_playbook', 'an import of a playbook');
  const { when, tags, vars } = surround(context, map, noSurroundings([], [], id));
  const nameEntry = entryOf(map, 'name');
  if (nameEntry) readText(context, nameEntry);
  const name = readText(context, entry);
  if (name === undefined) return [];
  const path = beside(entry.value.range.source.path, name);
  if (importing.playbooks.includes(path)) {
    const chain = [...importing.playbooks.slice(importing.playbooks.indexOf(path)), path].join(' → ');
    report(context, entry.value.range, `the import of ${path} never ends: ${chain}`);
    return [];
  }
  const file = readableFile(context, path, entry.value);
  if (!file || !mayLoad(context, entry.value.range)) return [];
  const inside: Importing = {
    playbooks: [...importing.playbooks, path],
    when: [...importing.when, ...when],
    tags: [...new Set([...importing.tags, ...tags])],
    // What imports a playbook sets the variables of its plays: the outermost import has the last word.
    vars: [...vars, ...importing.vars],
  };
  return loadPlays(context, file, inside, (n) => `${id}.${n}`);
}

function itemsOf(context: LoadContext, file: YamlFile): readonly YamlNode[] {
  const { root, source } = file;
  if (root?.kind === 'list' && root.items.length > 0) return root.items;
  if (file.diagnostics.length > 0) return [];
  const range = root?.range ?? { source, start: 0, end: 0 };
  const hint = 'start each play with "- hosts: …"';
  if (!root || root.kind === 'list') report(context, range, 'the playbook is empty', hint);
  else {
    const start = { ...range, end: range.start + 1 };
    report(context, start, `a playbook is a list of plays, not ${describeNode(root)}`, hint);
  }
  return [];
}

import { didYouMean } from '../base/diagnostic.ts';
import { describeNode, entryOf, type YamlEntry, type YamlFile, type YamlNode } from '../language/yaml.ts';
import { type DraftGroup, ensureGroup } from './draft.ts';
import { joinGroups, warnOfGroupName } from './groups.ts';
import { readHosts } from './hosts.ts';
import type { ReadingContext } from './reading.ts';
import { readGroupVariables, readHostVariables, reportMistake } from './variables.ts';
import { checkWords } from './yaml-words.ts';

/** What a group is made of, in YAML and in the output of programs. */
export const groupParts: readonly string[] = ['hosts', 'children', 'vars'];

/**
 * Reads an inventory in Ansible's YAML format, which JSON files have too, into a draft: groups by name, each with `hosts`,
 * `children` and `vars`. What Ansible skips because it does not understand it is reported as a mistake here.
 */
export function readYaml(file: YamlFile, context: ReadingContext): void {
  for (const diagnostic of file.diagnostics) context.report(diagnostic);
  const { root } = file;
  if (!root || isNothing(root)) return;
  if (root.kind !== 'map') {
    const hint = 'write all: {hosts: {NAME: }}, or in INI one host per line';
    return reportMistake(context, root.range, `an inventory is a map of groups, not ${describeNode(root)}`, hint);
  }
  const plugin = entryOf(root, 'plugin');
  if (plugin) return refusePlugin(context, plugin);
  checkWords(root, context.report);
  for (const entry of root.entries) {
    if (entry.key === '_meta') refuseListing(context, entry);
    else readGroup(context, entry);
  }
}

function readGroup(context: ReadingContext, { key: name, keyRange, value }: YamlEntry): DraftGroup | undefined {
  if (name === '') return void reportMistake(context, keyRange, 'the name of a group is missing');
  if (!context.draft.groups.has(name)) warnOfGroupName(context, name, keyRange);
  const group = ensureGroup(context.draft, name, keyRange);
  if (isNothing(value)) return group;
  if (value.kind === 'map') for (const entry of value.entries) readPart(context, group, entry);
  else {
    const message = `the group "${name}" is a map with hosts, children and vars, not ${describeNode(value)}`;
    const hint = value.kind === 'list' ? `write ${name}: {hosts: {NAME: }}` : undefined;
    reportMistake(context, value.range, message, hint);
  }
  return group;
}

function readPart(context: ReadingContext, group: DraftGroup, entry: YamlEntry): void {
  const { key, keyRange, value } = entry;
  if (!groupParts.includes(key)) {
    const message = `"${key}" is no part of the group "${group.name}", which has hosts, children and vars`;
    return reportMistake(context, keyRange, message, nearestPart(key) ?? misplacedHint(group, value));
  }
  if (isNothing(value)) return;
  if (key === 'vars') return readGroupVariables(context, group, value);
  for (const item of namesOf(context, key, value)) {
    if (key === 'hosts') readHost(context, group, item);
    else readChild(context, group, item);
  }
}

/** The hint for a slip of the keyboard, or for a word that begins as one of the three does: `childs`, `variables`. */
export function nearestPart(key: string): string | undefined {
  return didYouMean(groupParts.find((part) => part.slice(0, 3) === key.slice(0, 3)) ?? key, groupParts);
}

/** The names under `hosts` or `children` with what is said of each. A single name may stand alone. */
function namesOf(context: ReadingContext, key: string, node: YamlNode): readonly YamlEntry[] {
  if (node.kind === 'map') return node.entries;
  if (node.kind === 'scalar' && typeof node.value === 'string' && !/\s/.test(node.value)) {
    const nothing: YamlNode = { kind: 'scalar', value: null, isExpression: false, range: node.range };
    return [{ key: node.value, keyRange: node.range, value: nothing }];
  }
  const hint =
    node.kind === 'list'
      ? 'write each name with a colon instead of a dash: NAME:'
      : 'write each name with a colon: NAME:';
  reportMistake(context, node.range, `${key} is a map of names, not ${describeNode(node)}`, hint);
  return [];
}

function readHost(context: ReadingContext, group: DraftGroup, { key, keyRange, value }: YamlEntry): void {
  const hosts = readHosts(context, group, key, keyRange).map(({ name }) => name);
  if (!isNothing(value)) readHostVariables(context, hosts, key, value);
}

function readChild(context: ReadingContext, group: DraftGroup, item: YamlEntry): void {
  const child = readGroup(context, item);
  if (child) joinGroups(context, group.name, child.name, item.keyRange);
}

function misplacedHint(group: DraftGroup, value: YamlNode): string {
  if (groupParts.includes(group.name)) return `"${group.name}" is a group here: put it under one, such as all:`;
  const isMap = value.kind === 'map' || isNothing(value);
  return isMap ? 'put a host under hosts:, a group under children:' : 'put a variable under vars:';
}

function refusePlugin(context: ReadingContext, { keyRange, value }: YamlEntry): void {
  const name = value.kind === 'scalar' ? String(value.value) : '';
  const message = `this configures the inventory plugin "${name}" of Ansible, which does not exist here`;
  const hint = 'give -i a program instead: #!/bin/sh, exec ansible-inventory -i THIS_FILE --list';
  reportMistake(context, keyRange, message, hint);
}

function refuseListing(context: ReadingContext, { keyRange }: YamlEntry): void {
  const message = 'this is what an inventory program prints, and no inventory file';
  reportMistake(context, keyRange, message, 'give -i the program itself, which must be executable');
}

function isNothing(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

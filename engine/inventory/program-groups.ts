import type { Range } from '../base/source.ts';
import { describeNode, entryOf, type YamlEntry, type YamlMap, type YamlNode } from '../language/yaml.ts';
import { addHost, type DraftGroup, ensureGroup } from './draft.ts';
import { joinGroups, warnOfGroupName } from './groups.ts';
import type { ReadingContext } from './reading.ts';
import { readGroupVariables, reportMistake } from './variables.ts';
import { groupParts, nearestPart } from './yaml.ts';

/**
 * Reads a group as an inventory program prints it: `{hosts: […], children: […], vars: {…}}`, a plain list of hosts, or
 * variables alone, which are those of a host with the group's name. Gives the names of its hosts, which are taken as they
 * are: ranges and ports are for people.
 */
export function readProgramGroup(
  context: ReadingContext,
  { key: name, keyRange, value }: YamlEntry,
): readonly string[] {
  if (name === '') {
    reportMistake(context, keyRange, 'the name of a group is missing');
    return [];
  }
  if (!context.draft.groups.has(name)) warnOfGroupName(context, name, keyRange);
  const group = ensureGroup(context.draft, name, keyRange);
  if (value.kind === 'list') return readHosts(context, group, value);
  if (value.kind === 'map') return readParts(context, group, value, keyRange);
  reportMistake(context, value.range, `the group "${name}" is a map or a list of hosts, not ${describeNode(value)}`);
  return [];
}

function readParts(context: ReadingContext, group: DraftGroup, value: YamlMap, keyRange: Range): readonly string[] {
  checkKeys(context, group, value);
  if (!value.entries.some(({ key }) => groupParts.includes(key))) {
    addHost(context.draft, group.name, group.name, keyRange);
    readGroupVariables(context, group, value);
    return [group.name];
  }
  const part = (key: string): YamlNode | undefined => entryOf(value, key)?.value;
  const [own, vars, children] = [part('hosts'), part('vars'), part('children')];
  const hosts = own ? readHosts(context, group, own) : [];
  if (vars) readGroupVariables(context, group, vars);
  for (const { name, range } of children ? namesIn(context, children, 'children') : []) {
    ensureGroup(context.draft, name, range);
    joinGroups(context, group.name, name, range);
  }
  return hosts;
}

/** Other keys are no mistake in Ansible, or variables: only what looks like a slip of the keyboard is doubted. */
function checkKeys({ report }: ReadingContext, group: DraftGroup, value: YamlMap): void {
  for (const { key, keyRange, value: part } of value.entries) {
    const hint = part.kind === 'scalar' || groupParts.includes(key) ? undefined : nearestPart(key);
    if (!hint) continue;
    const message = `"${key}" is no part of the group "${group.name}", which has hosts, children and vars`;
    report({ severity: 'warning', message, hint, range: keyRange });
  }
}

function readHosts(context: ReadingContext, group: DraftGroup, node: YamlNode): readonly string[] {
  return namesIn(context, node, 'hosts').map(({ name, range }) => addHost(context.draft, group.name, name, range).name);
}

function namesIn(context: ReadingContext, node: YamlNode, key: string): { name: string; range: Range }[] {
  if (node.kind !== 'list') {
    reportMistake(context, node.range, `${key} is a list of names here, not ${describeNode(node)}`);
    return [];
  }
  return node.items.flatMap((item) => {
    const { range } = item;
    if (item.kind === 'scalar' && typeof item.value === 'string' && item.value !== '')
      return { name: item.value, range };
    reportMistake(context, range, `a name is a text, not ${describeNode(item)}`);
    return [];
  });
}

import type { Prompt } from '../playbook.ts';
import { describeNode, entryOf, type YamlEntry, type YamlMap, type YamlNode } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import { checkVariableName, isNothing, readBoolean, readText } from './fields.ts';
import { reportUnknown } from './unknown-keys.ts';

const parts = ['name', 'prompt', 'private', 'default', 'confirm'];
/** What Ansible does with an answer, and we do not. */
const foreign = ['encrypt', 'salt', 'salt_size', 'unsafe'];

/** Reads `vars_prompt`: a list of maps. */
export function readPrompts(context: LoadContext, { key, value }: YamlEntry): Prompt[] {
  if (isNothing(value)) return [];
  if (value.kind !== 'list') {
    const hint = 'start every variable with "- name: …"';
    report(context, value.range, `${key} must be a list, not ${describeNode(value)}`, hint);
    return [];
  }
  const prompts = new Map<string, Prompt>();
  for (const item of value.items) {
    const prompt = readPrompt(context, item);
    if (!prompt) continue;
    if (prompts.has(prompt.name)) report(context, prompt.range, `"${prompt.name}" is asked for twice`);
    prompts.set(prompt.name, prompt);
  }
  return [...prompts.values()];
}

function readPrompt(context: LoadContext, node: YamlNode): Prompt | undefined {
  if (node.kind !== 'map') {
    report(context, node.range, `a prompt must be a map, not ${describeNode(node)}`, `with ${parts.join(', ')}`);
    return undefined;
  }
  checkParts(context, node);
  const read = <T>(key: string, reader: (context: LoadContext, entry: YamlEntry) => T): T | undefined => {
    const entry = entryOf(node, key);
    return entry && reader(context, entry);
  };
  const name = read('name', readText);
  const text = read('prompt', readText);
  const isPrivate = read('private', readBoolean) ?? true;
  const isConfirmed = read('confirm', readBoolean) ?? false;
  const standard = read('default', readAnswer);
  const place = entryOf(node, 'name')?.value.range;
  if (!place)
    report(
      context,
      node.entries[0]?.keyRange ?? node.range,
      'a prompt needs "name", the variable that gets the answer',
    );
  if (name === undefined || !place || !checkVariableName(context, name, place)) return undefined;
  return {
    name,
    range: place,
    text: text ?? name,
    isPrivate,
    isConfirmed,
    ...(standard !== undefined && { default: standard }),
  };
}

function checkParts(context: LoadContext, map: YamlMap): void {
  for (const entry of map.entries) {
    if (parts.includes(entry.key)) continue;
    if (foreign.includes(entry.key)) {
      report(context, entry.keyRange, `"${entry.key}" is not supported`, 'the answer is taken as it is typed');
    } else reportUnknown(context, entry, parts, 'a prompt');
  }
}

/** What could have been typed. */
function readAnswer(context: LoadContext, entry: YamlEntry): string | undefined {
  const { value } = entry;
  const isWritten = value.kind === 'scalar' && !value.isExpression;
  if (isWritten && (typeof value.value === 'number' || typeof value.value === 'boolean')) return String(value.value);
  return readText(context, entry);
}

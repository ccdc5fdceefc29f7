import { didYouMean } from '../../base/diagnostic.ts';
import type { Range } from '../../base/source.ts';
import { compileExpression, compileNode, mapOf } from '../compile.ts';
import type { Expression, Value, Variables } from '../value.ts';
import { describeNode, entryOf, type YamlEntry, type YamlNode, type YamlScalar } from '../yaml.ts';
import { attempt, type LoadContext, report } from './context.ts';

/** Readers of keywords. Each notes what is wrong and then gives undefined (or nothing in the list). */

/** Names that the engine provides, so that no playbook can set them. */
export const providedNames: ReadonlySet<string> = new Set([
  'inventory_hostname',
  'group_names',
  'groups',
  'hostvars',
  'facts',
  'run_id',
  'check_mode',
  'playbook_dir',
  'item',
]);

/** `true` or `false`, written out. */
export function readBoolean(context: LoadContext, { key, value }: YamlEntry): boolean | undefined {
  if (value.kind === 'scalar' && typeof value.value === 'boolean') return value.value;
  report(context, value.range, `${key} must be true or false, not ${describeNode(value)}`, booleanHint(value));
  return undefined;
}

/** `true`, `false`, or a template or expression that gives one. */
export function readFlag(context: LoadContext, entry: YamlEntry): Value | undefined {
  const { key, value } = entry;
  const compiled = attempt(context, () => compileNode(value, context.cache));
  if (!compiled || (value.kind === 'scalar' && (!compiled.isLiteral || typeof value.value === 'boolean')))
    return compiled;
  report(context, value.range, `${key} must be true or false, not ${describeNode(value)}`, booleanHint(value));
  return undefined;
}

/** One of some words, written out. */
export function readChoice<T extends string>(
  context: LoadContext,
  entry: YamlEntry,
  choices: readonly T[],
): T | undefined {
  const { key, value } = entry;
  const chosen = choices.find((choice) => value.kind === 'scalar' && value.value === choice);
  if (chosen !== undefined) return chosen;
  const hint = value.kind === 'scalar' ? didYouMean(String(value.value), choices) : undefined;
  const written = isText(value) ? `"${value.value}"` : describeNode(value);
  report(context, value.range, `${key} must be one of ${choices.join(', ')}, not ${written}`, hint);
  return undefined;
}

/** A text without templates; `instead` says what to do about one. */
export function readText(context: LoadContext, { key, value }: YamlEntry, instead?: string): string | undefined {
  if (!isText(value)) {
    report(context, value.range, `${key} must be a text, not ${describeNode(value)}`, fileHint(key, value));
  } else if (value.isExpression || value.value.includes('{{')) {
    report(context, value.range, `${key} must be written out: it is needed before there are variables`, instead);
  } else return value.value;
  return undefined;
}

/** A text that may be a template, or an expression. */
export function readTextValue(context: LoadContext, { key, value }: YamlEntry): Value | undefined {
  if (isText(value)) return attempt(context, () => compileNode(value, context.cache));
  report(context, value.range, `${key} must be a text, not ${describeNode(value)}`, fileHint(key, value));
  return undefined;
}

/** In Ansible what names a file can be a map with `file`. */
function fileHint(key: string, value: YamlNode): string | undefined {
  return value.kind === 'map' && entryOf(value, 'file') ? `write "${key}: FILE"` : undefined;
}

/** A text or a list of texts, without templates. `separator` cuts a single text: `a, b`. */
export function readTexts(
  context: LoadContext,
  { key, keyRange, value }: YamlEntry,
  separator?: string,
): { text: string; range: Range }[] {
  const items = value.kind === 'list' ? value.items : [value];
  return items.flatMap((item) => {
    const text = readText(context, { key, keyRange, value: item });
    if (text === undefined) return [];
    const parts = separator === undefined ? [text] : text.split(separator);
    return parts.map((part) => ({ text: part.trim(), range: item.range })).filter((part) => part.text !== '');
  });
}

/** A condition, or a list of conditions that must all hold. */
export function readConditions(context: LoadContext, { key, value }: YamlEntry): Expression[] {
  const items = value.kind === 'list' ? value.items : [value];
  return items.flatMap((item) => readCondition(context, key, item) ?? []);
}

function readCondition(context: LoadContext, key: string, node: YamlNode): Expression | undefined {
  const isTruth = node.kind === 'scalar' && typeof node.value === 'boolean';
  if (!isTruth && !isText(node)) {
    const isBraced = node.range.source.text.startsWith('{{', node.range.start);
    const hint = isBraced ? 'an expression is written without {{ }}' : undefined;
    report(context, node.range, `${key} must be an expression, not ${describeNode(node)}`, hint);
    return undefined;
  }
  const hint = booleanHint(node);
  if (hint !== undefined) return report(context, node.range, `${key} must be an expression`, hint), undefined;
  return attempt(context, () => compileExpression(String(node.value), node.range, context.cache));
}

/** A map of variables. */
export function readVariables(context: LoadContext, { key, value }: YamlEntry): Variables {
  const variables = new Map<string, Value>();
  if (value.kind !== 'map') {
    if (!isNothing(value)) report(context, value.range, `${key} must be a map, not ${describeNode(value)}`);
    return variables;
  }
  for (const entry of value.entries) {
    if (!checkVariableName(context, entry.key, entry.keyRange)) continue;
    const compiled = attempt(context, () => compileNode(entry.value, context.cache));
    if (compiled) variables.set(entry.key, compiled);
  }
  return variables;
}

/** Whether a name can be a variable's; notes it when not. */
export function checkVariableName(context: LoadContext, name: string, range: Range): boolean {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    const hint = `write ${name.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_')}`;
    report(context, range, `a variable's name has letters, digits and _ only, not "${name}"`, hint);
  } else if (providedNames.has(name)) report(context, range, `"${name}" is provided by the engine and cannot be set`);
  else return true;
  return false;
}

/** A map of environment variables, or a template that gives one. */
export function readEnvironment(context: LoadContext, { key, value }: YamlEntry): Value | undefined {
  const compiled = attempt(context, () => compileNode(value, context.cache));
  if (!compiled || value.kind === 'map' || (value.kind === 'scalar' && !compiled.isLiteral)) return compiled;
  if (isNothing(value)) return mapOf([], value.range);
  report(context, value.range, `${key} must be a map, not ${describeNode(value)}`);
  return undefined;
}

/** A list of any values, or a template that gives one. */
export function readLoop(context: LoadContext, { key, value }: YamlEntry): Value | undefined {
  const compiled = attempt(context, () => compileNode(value, context.cache));
  if (!compiled || value.kind === 'list' || (value.kind === 'scalar' && !compiled.isLiteral)) return compiled;
  const hint =
    value.kind === 'scalar' && typeof value.value === 'string'
      ? `a variable is written "{{ ${value.value} }}"`
      : undefined;
  report(context, value.range, `${key} must be a list, not ${describeNode(value)}`, hint);
  return undefined;
}

/** A duration: seconds as a number, or `500ms`, `30s`, `5m`, `1h`. */
export function readDurationMs(context: LoadContext, { key, value }: YamlEntry): number | undefined {
  const written = value.kind === 'scalar' && !value.isExpression ? String(value.value) : '';
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(written) ?? [];
  if (amount !== undefined) return Number(amount) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit] ?? 1000);
  report(
    context,
    value.range,
    `${key} must be a duration, not ${describeNode(value)}`,
    'write 30 (seconds), 500ms, 30s, 5m or 1h',
  );
  return undefined;
}

/** A whole number from `least`. */
export function readCount(context: LoadContext, { key, value }: YamlEntry, least: number): number | undefined {
  const count = value.kind === 'scalar' ? value.value : undefined;
  if (typeof count === 'number' && Number.isInteger(count) && count >= least) return count;
  report(context, value.range, `${key} must be a whole number from ${least}, not ${describeNode(value)}`);
  return undefined;
}

/** Whether a node is absent or null. */
export function isNothing(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** Whether a node is a text that can be shown. What is known of a secret is asterisks, which as a pattern fit every host. */
export function isText(node: YamlNode): node is YamlScalar & { value: string } {
  return node.kind === 'scalar' && typeof node.value === 'string' && node.secret === undefined;
}

function booleanHint(node: YamlNode): string | undefined {
  const isYes = isText(node) && /^(yes|no|on|off)$/i.test(node.value);
  return isYes ? 'write true or false: YAML 1.2 reads yes, no, on and off as text' : undefined;
}

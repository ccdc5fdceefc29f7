import { readConditions, readCount } from './fields.ts';
import { reportUnknown } from './keywords.ts';
import { type LoadContext, report } from './load-context.ts';
import type { HostCount, Play, Serial } from './playbook.ts';
import { describeNode, entryOf, type YamlEntry, type YamlNode } from './yaml.ts';

/** Readers of the keywords that say how many hosts are worked on at a time. */

/** `2`, `"30%"`, a list of these, or `{window: 2}`. */
export function readSerial(context: LoadContext, entry: YamlEntry): Serial | undefined {
  const { key, value } = entry;
  if (value.kind === 'map') return readWindow(context, entry);
  const items = value.kind === 'list' ? value.items : [value];
  return { kind: 'batches', sizes: items.flatMap((item) => readHostCount(context, key, item) ?? []) };
}

function readWindow(context: LoadContext, { value }: YamlEntry): Serial | undefined {
  if (value.kind !== 'map') return undefined;
  for (const part of value.entries) if (part.key !== 'window') reportUnknown(context, part, ['window'], 'serial');
  const window = entryOf(value, 'window');
  if (!window && value.entries.length === 0) report(context, value.range, 'serial needs "window"', windowHint);
  const size = window && readHostCount(context, 'window', window.value);
  return size && { kind: 'window', size };
}

const windowHint = 'write {window: 3}: three hosts in flight';

function readHostCount(context: LoadContext, key: string, node: YamlNode): HostCount | undefined {
  const written = node.kind === 'scalar' && !node.isExpression ? String(node.value) : '';
  const [, amount, percent] = /^(\d+)(%?)$/.exec(written) ?? [];
  const size = Number(amount);
  if (amount !== undefined && percent === '' && size > 0) return { hosts: size };
  if (amount !== undefined && percent === '%' && size > 0 && size <= 100) return { percent: size };
  const message = `${key} must be a number of hosts or a percentage, not ${describeNode(node)}`;
  report(context, node.range, message, key === 'window' ? windowHint : 'write 2, "30%", [1, "50%"] or {window: 3}');
  return undefined;
}

/** `{by: EXPRESSION, n: NUMBER}`. */
export function readMaxPerGroup(context: LoadContext, { key, value }: YamlEntry): Play['maxPerGroup'] {
  const form = 'write {by: zone, n: 1}: one host of a zone at a time';
  if (value.kind !== 'map') {
    report(context, value.range, `${key} must be a map, not ${describeNode(value)}`, form);
    return undefined;
  }
  for (const part of value.entries) if (!['by', 'n'].includes(part.key)) reportUnknown(context, part, ['by', 'n'], key);
  const by = entryOf(value, 'by');
  const n = entryOf(value, 'n');
  if (!by || !n) return report(context, value.range, `${key} needs ${by ? '"n"' : '"by"'}`, form), undefined;
  if (by.value.kind === 'list') {
    return report(context, by.value.range, 'by must be one expression, not a list'), undefined;
  }
  const [expression] = readConditions(context, by);
  const count = readCount(context, n, 1);
  return expression && count !== undefined ? { by: expression, count } : undefined;
}

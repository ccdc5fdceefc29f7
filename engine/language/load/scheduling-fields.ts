import { type HostCount, hostOrders, type Play, type Serial, strategies } from '../playbook.ts';
import { describeNode, entryOf, type YamlEntry, type YamlMap, type YamlNode } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import { readBoolean, readChoice, readConditions, readCount } from './fields.ts';
import { reportUnknown } from './unknown-keys.ts';

/** What a play says about the order of its hosts, how many of them are worked on at a time, and what stops it. */
export type Scheduling = Pick<
  Play,
  | 'order'
  | 'strategy'
  | 'serial'
  | 'maxPerGroup'
  | 'anyErrorsFatal'
  | 'maxFailures'
  | 'maxFailPercentage'
  | 'forceHandlers'
  | 'gatherFacts'
>;

/** Reads what a play says about its hosts. */
export function readScheduling(context: LoadContext, play: YamlMap): Scheduling {
  const read = <T>(key: string, reader: (context: LoadContext, entry: YamlEntry) => T): T | undefined => {
    const entry = entryOf(play, key);
    return entry && reader(context, entry);
  };
  const maxPerGroup = read('max_per_group', readMaxPerGroup);
  const maxFailures = read('max_failures', (c, entry) => readCount(c, entry, 1));
  const maxFailPercentage = read('max_fail_percentage', readPercentage);
  const gatherFacts = read('gather_facts', readBoolean);
  return {
    order: read('order', (c, entry) => readChoice(c, entry, hostOrders)) ?? 'inventory',
    strategy: read('strategy', (c, entry) => readChoice(c, entry, strategies)) ?? 'linear',
    serial: read('serial', readSerial) ?? { kind: 'batches', sizes: [] },
    ...(maxPerGroup && { maxPerGroup }),
    anyErrorsFatal: read('any_errors_fatal', readBoolean) ?? false,
    ...(maxFailures !== undefined && { maxFailures }),
    ...(maxFailPercentage !== undefined && { maxFailPercentage }),
    forceHandlers: read('force_handlers', readBoolean) ?? false,
    ...(gatherFacts !== undefined && { gatherFacts }),
  };
}

/** `2`, `"30%"`, a list of these, or `{window: 2}`. */
function readSerial(context: LoadContext, entry: YamlEntry): Serial | undefined {
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

/** `20`, `0.5` or `"20%"`. */
function readPercentage(context: LoadContext, { key, value }: YamlEntry): number | undefined {
  const written = value.kind === 'scalar' && !value.isExpression ? String(value.value) : '';
  const [, amount] = /^(\d+(?:\.\d+)?)%?$/.exec(written) ?? [];
  if (amount !== undefined && Number(amount) <= 100) return Number(amount);
  const message = `${key} must be a percentage from 0 to 100, not ${describeNode(value)}`;
  report(context, value.range, message, 'write 20 or "20%": the play stops when a fifth of the hosts is down');
  return undefined;
}

/** `{by: EXPRESSION, n: NUMBER}`. */
function readMaxPerGroup(context: LoadContext, { key, value }: YamlEntry): Play['maxPerGroup'] {
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

import type { Bake } from '../playbook.ts';
import { describeNode, entryOf, type YamlEntry, type YamlMap, type YamlNode } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import type { Surroundings } from './surroundings.ts';
import { loadNodes } from './tasks.ts';
import { reportUnknown } from './unknown-keys.ts';

const form = 'write {seconds: 300, tasks: […]}: after a batch 300 seconds are waited, then the tasks run on it';
const parts = ['seconds', 'tasks'];

/** Loads `bake` of a play: what lies between one batch of its hosts and the next. `outer` is around its tasks. */
export function loadBake(context: LoadContext, play: YamlMap, outer: Surroundings, id: string): Bake | undefined {
  const entry = entryOf(play, 'bake');
  if (!entry) return undefined;
  const { keyRange, value } = entry;
  if (value.kind !== 'map' || value.entries.length === 0) {
    report(context, value.range, `bake must be a map, not ${describeNode(value)}`, form);
    return undefined;
  }
  checkBatches(context, play, entry);
  for (const part of value.entries) if (!parts.includes(part.key)) reportUnknown(context, part, parts, 'bake');
  const seconds = entryOf(value, 'seconds');
  const tasks = entryOf(value, 'tasks');
  const waitMs = seconds ? readSeconds(context, seconds.value) : 0;
  const nodes = tasks ? loadNodes(context, tasks.value, outer, (n) => `${id}/bake/${n}`) : [];
  return waitMs === undefined ? undefined : { range: keyRange, waitMs, tasks: nodes };
}

/** With a window there is no moment at which one batch has ended and the next has not begun. */
function checkBatches(context: LoadContext, play: YamlMap, { keyRange }: YamlEntry): void {
  const serial = entryOf(play, 'serial');
  // What is wrong with `serial` itself is told where it is read.
  if (serial?.value.kind !== 'map') return;
  const hint = 'say the batches: "serial: 2", or a list that starts small: [1, 3, "20%"]';
  report(context, keyRange, 'bake is between batches, and a window has none', hint);
}

function readSeconds(context: LoadContext, node: YamlNode): number | undefined {
  const seconds = node.kind === 'scalar' ? node.value : undefined;
  if (typeof seconds === 'number' && seconds >= 0) return seconds * 1000;
  report(context, node.range, `seconds must be a number from 0, not ${describeNode(node)}`);
  return undefined;
}

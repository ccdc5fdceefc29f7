import { type Block, type LeaseClause, leasePolicies, type Node } from '../playbook.ts';
import { describeNode, entryOf, type YamlEntry, type YamlMap } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import { isNothing, readChoice, readText } from './fields.ts';
import { type Surroundings, surround } from './surroundings.ts';
import { loadTask } from './task.ts';
import { loadNodes } from './tasks.ts';
import { checkKeywords } from './unknown-keys.ts';

/** Whether a map is a block: also one that has forgotten its `block:`. */
export function isBlock(map: YamlMap): boolean {
  return ['block', 'rescue', 'always', 'lease'].some((key) => entryOf(map, key));
}

/** Loads a block with the lease around it. */
export function loadBlock(context: LoadContext, map: YamlMap, outer: Surroundings, id: string): Block {
  checkKeywords(context, map, 'block', 'a block');
  const inner = surround(context, map, outer);
  const part = (key: string, as: string, around = inner): Node[] => {
    const entry = entryOf(map, key);
    return entry ? loadNodes(context, entry.value, around, (n) => `${id}.${as}.${n}`) : [];
  };
  const rescuing: Surroundings = { ...inner, within: { ...inner.within, isRescue: true } };
  const body = entryOf(map, 'block');
  if (!body || isNothing(body.value)) {
    const place = body?.keyRange ?? map.entries[0]?.keyRange ?? map.range;
    report(context, place, 'a block needs tasks', 'put them under "block:"');
  }
  const name = entryOf(map, 'name');
  const lease = entryOf(map, 'lease');
  const clause = lease && loadLease(context, lease, inner, id);
  return {
    kind: 'block',
    id,
    name: (name && readText(context, name)) ?? 'block',
    range: map.range,
    body: part('block', 'body'),
    rescue: part('rescue', 'rescue', rescuing),
    always: part('always', 'always'),
    ...(clause && { lease: clause }),
  };
}

function loadLease(context: LoadContext, entry: YamlEntry, outer: Surroundings, id: string): LeaseClause | undefined {
  if (entry.value.kind !== 'map') {
    report(context, entry.value.range, `lease must be a map with a lease module, not ${describeNode(entry.value)}`);
    return undefined;
  }
  const task = loadTask(context, entry.value, outer, `${id}.lease`, 'lease');
  const policy = entryOf(entry.value, 'on_failure');
  const onFailure = policy ? readChoice(context, policy, leasePolicies) : 'auto';
  return task && onFailure && { task, onFailure };
}

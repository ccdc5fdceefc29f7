import { type Meta, metaActions } from '../playbook.ts';
import type { YamlEntry, YamlMap } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import { readChoice } from './fields.ts';
import type { Surroundings } from './surroundings.ts';
import { surround } from './surroundings.ts';
import { nameOf } from './task.ts';
import { checkKeywords } from './unknown-keys.ts';

/** Loads a `meta`. */
export function loadMeta(
  context: LoadContext,
  map: YamlMap,
  entry: YamlEntry,
  outer: Surroundings,
  id: string,
): Meta | undefined {
  checkKeywords(context, map, 'meta', 'meta');
  const { when, defaults, vars, tags, within } = surround(context, map, outer);
  const action = readChoice(context, entry, metaActions);
  if (action === 'rolled_back' && !within.isRescue) {
    const hint = 'put it at the end of the rescue that undoes what the block did';
    report(context, entry.value.range, 'rolled_back stands in a rescue: it says that a failed host is as it was', hint);
  }
  const { name } = nameOf(context, map, action ?? 'meta');
  return action && { kind: 'meta', id, name, range: map.range, action, when, defaults, vars, tags };
}

/** The flush of handlers between two parts of a play. No tags: what was notified runs, whatever was chosen. */
export function flushBetween(id: string, { keyRange }: YamlEntry): Meta {
  const nothing = { when: [], defaults: [], vars: [], tags: [] };
  return { kind: 'meta', id, name: 'flush_handlers', range: keyRange, action: 'flush_handlers', ...nothing };
}

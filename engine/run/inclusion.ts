import { RunbookError } from '../base/errors.ts';
import { requireKnown } from '../base/unknown.ts';
import type { Include, Node } from '../language/playbook.ts';
import type { Expression } from '../language/value.ts';
import type { RunContext } from './context.ts';
import type { HostRun } from './host-run.ts';
import { type Item, itemsOf, labelOf } from './loop.ts';
import type { Place, Turn } from './surroundings.ts';

/** What an include does next on a host. Hosts for which its key is the same run it together. */
export interface Inclusion extends Turn {
  readonly nodes: readonly Node[];
  /** For people: the file, where it is not written out, and the item. */
  readonly message?: string;
}

/**
 * What one host includes, in order, or, where that is nothing, the condition that does not hold. Raises what rendering
 * raises, and `task-failed` for a file that was not there before the run.
 */
export function chooseInclusions(
  context: RunContext,
  include: Include,
  host: HostRun,
  place: Place,
): Inclusion[] | { readonly message?: string } {
  const chosen: Inclusion[] = [];
  let message: string | undefined;
  for (const choice of choicesOf(context, include, host, place)) {
    if ('unmet' in choice) message ??= `when: ${choice.unmet.text}`;
    else chosen.push(choice);
  }
  return chosen.length > 0 ? chosen : { ...(message !== undefined && { message }) };
}

/** The same one by one, each worked out when it is asked for; a condition stands for an item for which it does not hold. */
export function* choicesOf(
  context: RunContext,
  include: Include,
  host: HostRun,
  place: Place,
): Generator<Inclusion | { readonly unmet: Expression }> {
  const scope = context.scopeOf(host, place, include);
  const items = include.loop ? itemsOf(include.loop, include, scope, context.key) : [undefined];
  if ('unmet' in items) return yield items;
  for (const item of items) {
    const itemScope = item ? context.scopeOf(host, place, include, item.variables) : scope;
    const unmet = include.when.find((condition) => !condition.test(itemScope));
    // In check mode, of an item that is known in part, nobody can tell which turn it will be.
    if (item && !unmet && context.request.isCheckMode) requireKnown(item.variables);
    yield unmet ? { unmet } : inclusionOf(include, place.turn, item, itemScope);
  }
}

function inclusionOf(
  include: Include,
  outer: Turn | undefined,
  item: Item | undefined,
  scope: ReturnType<RunContext['scopeOf']>,
): Inclusion {
  const file = String(include.file.render(scope));
  const nodes = include.files.get(file);
  if (!nodes) {
    const known = [...include.files.keys()].join(', ');
    throw new RunbookError(
      'task-failed',
      `include_tasks: "${file}" is no file that was there before the run: ${known}`,
    );
  }
  const message = [
    include.file.isLiteral ? '' : file,
    item ? `(${labelOf(item, include.loopControl, () => scope)})` : '',
  ].filter((part) => part !== '');
  return {
    key: JSON.stringify([outer?.key ?? '', include.id, file, item?.identity ?? '']),
    variables: { ...outer?.variables, ...item?.variables },
    nodes,
    ...(message.length > 0 && { message: `includes ${message.join(' ')}` }),
  };
}

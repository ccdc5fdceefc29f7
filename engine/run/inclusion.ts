import { RunbookError } from '../base/errors.ts';
import type { Include, Node } from '../language/playbook.ts';
import type { RunContext } from './context.ts';
import type { HostRun } from './host-run.ts';
import { type Item, itemsOf, labelOf } from './loop.ts';
import type { Place, Turn } from './surroundings.ts';

/** What an include does next on a host. */
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
  surroundings: Place,
): Inclusion[] | { readonly message?: string } {
  const scope = context.scopeOf(host, surroundings, include);
  const items = include.loop ? itemsOf(include.loop, include, scope) : [undefined];
  if ('unmet' in items) return { message: `when: ${items.unmet.text}` };
  let message: string | undefined;
  const chosen = items.flatMap((item) => {
    const itemScope = item ? context.scopeOf(host, surroundings, include, item.variables) : scope;
    const unmet = include.when.find((condition) => !condition.test(itemScope));
    if (unmet) message ??= `when: ${unmet.text}`;
    return unmet ? [] : [inclusionOf(include, surroundings.turn, item, itemScope)];
  });
  if (chosen.length > 0) return chosen;
  return { ...(message !== undefined && { message }) };
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
    key: JSON.stringify([outer?.key ?? '', include.id, file, item?.variables ?? null]),
    variables: { ...outer?.variables, ...item?.variables },
    nodes,
    ...(message.length > 0 && { message: `includes ${message.join(' ')}` }),
  };
}

import { RunbookError } from '../base/errors.ts';
import { hiddenText, Secret } from '../base/secret.ts';
import type { Telling } from '../base/telling.ts';
import { UnknownValueError } from '../base/unknown.ts';
import type { LoopControl } from '../language/playbook.ts';
import type { Expression, Scope, Value } from '../language/value.ts';
import type { RunContext } from './context.ts';
import { tellingOfRun } from './host-telling.ts';

/** What can have a loop. */
export interface Looped {
  readonly when: readonly Expression[];
  readonly loopControl: LoopControl;
}

/** A turn of a loop. */
export interface Item {
  readonly value: unknown;
  /** The variables that it brings. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** How many items before it look the same, secrets too: their effects are not the same. */
  readonly twins: number;
}

/**
 * The items of a loop. Where the list cannot be made, but a condition says that it is not needed, gives that condition:
 * `loop: "{{ disks }}"` with `when: has_disks`.
 */
export function itemsOf(loop: Value, looped: Looped, scope: Scope): readonly Item[] | { readonly unmet: Expression } {
  let list: unknown;
  try {
    list = loop.render(scope);
    if (!Array.isArray(list)) throw new RunbookError('task-failed', `loop must be a list, not ${JSON.stringify(list)}`);
  } catch (error) {
    const unmet = looped.when.find((condition) => isFalse(condition, scope));
    if (unmet) return { unmet };
    throw error;
  }
  const { variable, indexVariable } = looped.loopControl;
  const values = list as unknown[];
  let texts: readonly string[] | undefined;
  return values.map((value, index) => ({
    value,
    variables: { [variable]: value, ...(indexVariable !== undefined && { [indexVariable]: index }) },
    // Worked out where it is asked for: who looks ahead makes the items of a loop again and again.
    get twins() {
      texts ??= values.map(textOf);
      const own = texts[index];
      return texts.slice(0, index).filter((text) => text === own).length;
    },
  }));
}

/** An item as it is shown: its label, where there is one. */
export function labelOf(item: Item, { label }: LoopControl, scope: () => Scope): string {
  return textOf(label ? label.render(scope()) : item.value);
}

/** A value as a text: a text as it stands, all else as JSON. */
export function textOf(value: unknown): string {
  if (value instanceof Secret) return hiddenText;
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch (error) {
    // Check mode goes through results of what it did not do: what a turn asks of them may be known.
    if (error instanceof UnknownValueError) return '(not known before the run)';
    throw error;
  }
}

/** Waits between two items, and tells it. Rejects with `interrupted` at the first Ctrl-C; check mode does not wait. */
export async function pauseBetween(
  context: RunContext,
  { pauseMs }: LoopControl,
  telling: Telling = tellingOfRun(context.clock, context.bus),
): Promise<void> {
  const { isCheckMode, signal, abort } = context.request;
  if (pauseMs === 0 || isCheckMode) return;
  const wait = { text: 'pause between two items', deadlineMs: context.clock.now() + pauseMs };
  await telling(wait, () => context.clock.sleep(pauseMs, AbortSignal.any([signal, abort])));
}

/** Whether a condition is false without the item; one that needs the item is not. */
function isFalse(condition: Expression, scope: Scope): boolean {
  try {
    return !condition.test(scope);
  } catch {
    return false;
  }
}

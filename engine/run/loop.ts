import { RunbookError } from '../base/errors.ts';
import { hiddenText, Secret } from '../base/secret.ts';
import type { Telling } from '../base/telling.ts';
import { UnknownValueError } from '../base/unknown.ts';
import type { LoopControl } from '../language/playbook.ts';
import type { Expression, Scope, Value } from '../language/value.ts';
import type { RunContext } from './context.ts';
import { tellingOfRun } from './host-telling.ts';
import { type RunKey, valueDigest } from './run-key.ts';

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
  /**
   * Tells it from the other items of its loop, secrets and equal ones too, also when the run is resumed. It is of what the
   * item brings, not of its place in the list, and nobody without the key can tell what that is.
   */
  readonly identity: string;
}

/**
 * The items of a loop. Where the list cannot be made, but a condition says that it is not needed, gives that condition:
 * `loop: "{{ disks }}"` with `when: has_disks`.
 */
export function itemsOf(
  loop: Value,
  looped: Looped,
  scope: Scope,
  key: RunKey,
): readonly Item[] | { readonly unmet: Expression } {
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
  const turns = (list as unknown[]).map((value, index) => ({
    value,
    variables: { [variable]: value, ...(indexVariable !== undefined && { [indexVariable]: index }) },
  }));
  const identityOf = identities(turns, key);
  return turns.map((turn, index) => ({
    ...turn,
    // Worked out where it is asked for: who looks ahead makes the items of a loop again and again.
    get identity() {
      return identityOf(index);
    },
  }));
}

/** Gives {@link Item.identity} of one after the other: those that are equal are counted. */
function identities(turns: readonly Pick<Item, 'variables'>[], key: RunKey): (index: number) => string {
  const made: string[] = [];
  const times = new Map<string, number>();
  return (index) => {
    for (const { variables } of turns.slice(made.length, index + 1)) {
      const digest = digestOf(variables, key);
      const time = (times.get(digest) ?? 0) + 1;
      times.set(digest, time);
      made.push(time === 1 ? digest : `${digest}.${time}`);
    }
    return made[index] ?? '';
  };
}

function digestOf(variables: Item['variables'], key: RunKey): string {
  try {
    return valueDigest(key, 'item', variables);
  } catch (error) {
    // Check mode records nothing and begins no effect: what each task asks of the item may be known.
    if (error instanceof UnknownValueError) return 'unknown';
    throw error;
  }
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

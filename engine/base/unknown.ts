import { RunbookError } from './errors.ts';

/**
 * Raised when something reads a value that check mode cannot know, because the effect that would make it was not run.
 * It is no failure: the task that needs the value has the outcome `unknown`, with this reason.
 */
export class UnknownValueError extends RunbookError {
  constructor(reason: string) {
    super('unknown-value', reason);
  }
}

/**
 * A record whose `known` fields can be read and whose every other field raises an {@link UnknownValueError}.
 * Check mode registers it as the result of a task that it did not run: `changed` is known, `stdout` is not.
 */
export function partlyKnown(known: Readonly<Record<string, unknown>>, reason: string): Record<string, unknown> {
  return new Proxy({ ...known } as Record<string, unknown>, {
    get(target, key) {
      if (typeof key === 'symbol' || key in target) return Reflect.get(target, key);
      throw new UnknownValueError(reason);
    },
    getOwnPropertyDescriptor(target, key) {
      const own = Reflect.getOwnPropertyDescriptor(target, key);
      if (own || typeof key === 'symbol' || key in Object.prototype) return own;
      throw new UnknownValueError(reason);
    },
    has(target, key) {
      if (typeof key === 'symbol' || key in target) return key in target;
      throw new UnknownValueError(reason);
    },
  });
}

/** Adds fields to a record in place, also to one that is {@link partlyKnown}: what is assigned to it would be read first. */
export function addKnown(record: object, fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields)) {
    Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
  }
}

/** Raises {@link UnknownValueError} where something in a value is not known. */
export function requireKnown(value: unknown): void {
  // Of each record in it `toJSON` is read, which is no known field.
  JSON.stringify(value);
}

import { diagnosticToJson } from './diagnostic.ts';
import type { StampedEvent } from './events.ts';

/** An event as JSON; a diagnostic becomes its place, without the file's whole text. */
export function eventToJson(event: StampedEvent): string {
  const plain = event.type === 'warning' ? { ...event, diagnostic: diagnosticToJson(event.diagnostic) } : event;
  try {
    return JSON.stringify(plain);
  } catch {
    // A function that looks at every value makes it five times as slow, and few events have such numbers.
    return JSON.stringify(plain, replaceBigInt);
  }
}

/** For `JSON.stringify`: CEL counts in BigInt, for which JSON has no word of its own. */
export function replaceBigInt(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

import { diagnosticToJson } from '../base/diagnostic.ts';
import type { StampedEvent } from '../base/events.ts';
import type { Output } from './output.ts';
import type { Reporter } from './reporter.ts';

/** One event, one line of JSON. Notes go to `errors`: standard output is for programs. */
export function createNdjsonReporter(output: Output, errors: Output): Reporter {
  return {
    on: (event) => output.write(`${eventToJson(event)}\n`),
    note: (text) => errors.write(`${text}\n`),
    close: async () => {},
    restore: () => {},
  };
}

/** An event as JSON; a diagnostic becomes its place, without the file's whole text. */
export function eventToJson(event: StampedEvent): string {
  const plain = event.type === 'warning' ? { ...event, diagnostic: diagnosticToJson(event.diagnostic) } : event;
  return JSON.stringify(plain, replaceBigInt);
}

// CEL counts in BigInt, for which JSON has no word of its own.
function replaceBigInt(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

import { eventToJson } from '../base/event-json.ts';
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

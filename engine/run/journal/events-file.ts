import { eventToJson } from '../../base/event-json.ts';
import type { StampedEvent, Subscriber } from '../../base/events.ts';
import type { AppendFile } from './append-file.ts';

/**
 * Writes a run's events as NDJSON. It is synced to disk before every effect and when a lease changes hands, so that after
 * a crash it says what may have been done; other events are written together, before the process does anything else.
 * What goes wrong is told to `onProblem`, once; nothing is written after it.
 */
export function writeEvents(file: AppendFile, onProblem: (problem: Error) => void): Subscriber {
  let lines: string[] = [];
  let isBroken = false;
  const write = (isSynced: boolean): void => {
    const text = lines.join('\n');
    lines = [];
    try {
      if (text !== '') file.append(text);
      if (isSynced) file.sync();
    } catch (error) {
      isBroken = true;
      onProblem(error as Error);
    }
  };
  return (event) => {
    if (isBroken) return;
    if (lines.length === 0) setImmediate(() => lines.length > 0 && !isBroken && write(false));
    lines.push(eventToJson(event));
    if (mustBeDurable(event)) write(true);
  };
}

function mustBeDurable(event: StampedEvent): boolean {
  return event.type === 'step-started' || event.type.startsWith('lease-') || event.type === 'run-ended';
}

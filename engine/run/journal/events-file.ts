import { eventToJson } from '../../base/event-json.ts';
import type { StampedEvent, Subscriber } from '../../base/events.ts';
import type { AppendFile } from './append-file.ts';

/**
 * Writes a run's events as NDJSON. It is synced to disk when a lease changes hands and at the end; before every effect it is
 * made durable together with the record, so that after a crash it says what may have been done. What goes wrong is told to
 * `onProblem`.
 */
export function writeEvents(file: AppendFile, onProblem: (problem: Error) => void): Subscriber {
  let isBroken = false;
  return (event) => {
    if (isBroken) return;
    file.append(eventToJson(event));
    if (!mustBeDurable(event)) return;
    try {
      file.sync();
    } catch (error) {
      isBroken = true;
      onProblem(error as Error);
    }
  };
}

function mustBeDurable(event: StampedEvent): boolean {
  return event.type.startsWith('lease-') || event.type === 'run-ended';
}

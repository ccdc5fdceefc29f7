import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { eventToJson } from '../base/event-json.ts';
import type { StampedEvent, Subscriber } from '../base/events.ts';

/**
 * Keeps a run's events as NDJSON in `DIRECTORY/runs/ID/events.ndjson` (folder 0700, file 0600). It is synced to disk
 * before every effect and when a lease changes hands, so that after a crash it says what may have been done.
 */
export function createJournal(directory: string, runId: string): Subscriber {
  const folder = join(directory, 'runs', runId);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = openSync(join(folder, 'events.ndjson'), 'a', 0o600);
  return (event) => {
    writeSync(file, `${eventToJson(event)}\n`);
    if (mustBeDurable(event)) fsyncSync(file);
    if (event.type === 'run-ended') closeSync(file);
  };
}

function mustBeDurable(event: StampedEvent): boolean {
  return event.type === 'step-started' || event.type.startsWith('lease-') || event.type === 'run-ended';
}

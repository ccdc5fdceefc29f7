import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileProblem, RunbookError } from '../base/errors.ts';
import { eventToJson } from '../base/event-json.ts';
import type { StampedEvent, Subscriber } from '../base/events.ts';

/**
 * Keeps a run's events as NDJSON in `DIRECTORY/runs/ID/events.ndjson` (folder 0700, file 0600). It is synced to disk
 * before every effect and when a lease changes hands, so that after a crash it says what may have been done; other events
 * are written together, before the process does anything else. Raises a RunbookError where it cannot be written.
 */
export function createJournal(directory: string, runId: string): Subscriber {
  const file = openNew(join(directory, 'runs', runId));
  let lines = '';
  let problem: unknown;
  const write = (): void => {
    const text = lines;
    lines = '';
    if (text !== '') writeSync(file, text);
  };
  const writeSoon = (): void => {
    try {
      write();
    } catch (error) {
      problem = error;
    }
  };
  return (event) => {
    // Told to the bus by the next event: what is called later has nobody to tell.
    if (problem !== undefined) throw problem;
    if (lines === '') setImmediate(writeSoon);
    lines += `${eventToJson(event)}\n`;
    if (mustBeDurable(event)) {
      write();
      fsyncSync(file);
    }
    if (event.type === 'run-ended') closeSync(file);
  };
}

function openNew(folder: string): number {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return openSync(join(folder, 'events.ndjson'), 'a', 0o600);
  } catch (error) {
    const message = `the record of the run cannot be kept in ${folder}: ${fileProblem(error)}`;
    const hint = 'start it from a folder that you may write to, or keep none with --no-journal';
    throw new RunbookError('usage', message, { hint, cause: error });
  }
}

function mustBeDurable(event: StampedEvent): boolean {
  return event.type === 'step-started' || event.type.startsWith('lease-') || event.type === 'run-ended';
}

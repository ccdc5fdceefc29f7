import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyLine, createRunState, type RunState } from './fold.ts';
import type { StateLine } from './lines.ts';
import type { RecordedLease } from './record.ts';

/** What the lines of a run's folder come to. A line that a dying process did not write to its end does not count. */
export function readState(folder: string): RunState {
  const state = createRunState();
  for (const line of linesOf(folder)) applyLine(state, line);
  return state;
}

/** The leases that the run of a folder has, or began to take, and did not give back. */
export function readHeldLeases(folder: string): readonly RecordedLease[] {
  const state = createRunState();
  for (const line of linesOf(folder, (text) => text.startsWith('{"t":"lease"'))) applyLine(state, line);
  return [...state.leases.values()];
}

function* linesOf(folder: string, isWanted: (text: string) => boolean = () => true): Generator<StateLine> {
  const texts = read(join(folder, 'state.ndjson')).split('\n');
  // What stands behind the last line break was not written to its end.
  for (const text of texts.slice(0, -1)) {
    // Written by `keepRecord`.
    if (isWanted(text)) yield JSON.parse(text) as StateLine;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return '';
    throw error;
  }
}

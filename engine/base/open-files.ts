import { readFileSync } from 'node:fs';
import { RunbookError } from './errors.ts';

/** What a process has open besides its connections: itself, its journal, files that it reads. */
const besides = 60;

/**
 * Refuses a run that would lose hosts because the process may not have so many connections open: all hosts of a run stay
 * connected until it ends. `limit` is undefined where the system does not tell.
 */
export function checkOpenFiles(hosts: number, limit: number | undefined): void {
  const needed = hosts + besides;
  if (limit === undefined || needed <= limit) return;
  const message = `${hosts} hosts are too many: this process may have ${limit} files open at a time, and each connection is one`;
  throw new RunbookError('usage', message, {
    hint: `allow more before it is started (ulimit -n ${needed}), or take fewer hosts at a time (--limit)`,
  });
}

/** How many files this process may have open. Node raises it at its start as far as it may. */
export function openFilesLimit(read: () => string = readLimits): number | undefined {
  const found = /^Max open files\s+(\d+)/m.exec(read())?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Only Linux has them in a file. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}

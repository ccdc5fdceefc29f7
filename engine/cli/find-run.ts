import { RunbookError } from '../base/errors.ts';
import { idsIn } from '../run/journal/runs.ts';

/** Where runs are kept: beside where runbook is started. */
export const journalDirectory = '.runbook';

/** The id that a user means: a whole one, the beginning of one, or `last`. Raises `usage` where it is none, or several. */
export function findRun(named: string): string {
  const ids = idsIn(journalDirectory);
  if (ids.length === 0) {
    throw new RunbookError('usage', `no run is kept in ${journalDirectory}/runs`, {
      hint: 'start runbook from the folder in which the run was started',
    });
  }
  const last = ids.at(-1);
  if (named === 'last' && last !== undefined) return last;
  const found = ids.filter((id) => id === named || id.startsWith(named));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (found.length > 1) throw new RunbookError('usage', `"${named}" can be ${found.join(', ')}`);
  throw new RunbookError('usage', `there is no run "${named}"`, { hint: 'runbook runs lists those that are kept' });
}

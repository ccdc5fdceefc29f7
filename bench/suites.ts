import type { Case } from './case.ts';
import { checkPlaybook } from './cases/check.ts';
import { listInventory, matchPattern } from './cases/inventory.ts';
import { skippedTask } from './cases/skipped.ts';

/** What can be measured, by the name that is given to `npm run bench`. */
export const suites: Readonly<Record<string, readonly Case[]>> = {
  language: [matchPattern, listInventory, checkPlaybook, skippedTask],
};

import type { Case } from './case.ts';
import { checkPlaybook } from './cases/check.ts';
import { archive } from './cases/hosts/archive.ts';
import { fileBytes, smallFiles } from './cases/hosts/files.ts';
import { hundredHosts, thousandHosts } from './cases/hosts/many.ts';
import { checkedNodes, convergedNodes, distantNodes, freshNodes } from './cases/hosts/nodes.ts';
import { skippedOnThousand, skippedOnThousands } from './cases/hosts/skipped-hosts.ts';
import { startUp } from './cases/hosts/start-up.ts';
import { listInventory, matchPattern } from './cases/inventory.ts';
import { manyTasks } from './cases/many-tasks.ts';
import { skippedTask } from './cases/skipped.ts';

/** What can be measured, by the name that is given to `npm run bench`. */
export const suites: Readonly<Record<string, readonly Case[]>> = {
  language: [matchPattern, listInventory, checkPlaybook, skippedTask, manyTasks],
  hosts: [
    ...[startUp, convergedNodes, checkedNodes, freshNodes, distantNodes],
    ...[hundredHosts, thousandHosts, skippedOnThousand, skippedOnThousands],
    ...[archive, smallFiles, fileBytes],
  ],
};

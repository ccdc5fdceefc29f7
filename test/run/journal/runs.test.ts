import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { idsIn } from '../../../engine/run/journal/runs.ts';
import { withTemporaryFolder } from '../../support/module-rig.ts';

describe('the runs that are kept', () => {
  it('are in the order in which they began, also those of one second, whose ids do not tell it', () =>
    withTemporaryFolder(async (folder) => {
      const runs = [
        ['20261130T065959Z-ffff', '2026-11-30T06:59:59.900Z'],
        ['20261130T070000Z-bbbb', '2026-11-30T07:00:00.100Z'],
        ['20261130T070000Z-aaaa', '2026-11-30T07:00:00.200Z'],
        ['20261130T070001Z-0000', '2026-11-30T07:00:01.000Z'],
      ] as const;
      for (const [id, began] of runs) {
        await mkdir(join(folder, 'runs', id), { recursive: true });
        await writeFile(join(folder, 'runs', id, 'run.json'), JSON.stringify({ v: 1, began: [began] }));
      }
      await mkdir(join(folder, 'runs', 'something-else'));
      expect(idsIn(folder)).to.deep.equal(runs.map(([id]) => id));
    }));
});

import { writeInventory } from '../targets/targets.ts';
import type { Peer } from './peer.ts';

/** What all is about. It keeps its journal, as it does unless it is told not to. */
export const runbook: Peer = {
  name: 'runbook',
  packages: [],
  async prepare({ folder, runbook, play, targets, forks, isCheck }) {
    const inventory = await writeInventory(targets, folder);
    const flags = ['-i', inventory, '--forks', String(forks), '--output', 'plain', ...(isCheck ? ['--check'] : [])];
    const args = ['play', `${play.name}/playbook.yaml`, ...flags];
    return {
      command: { file: process.execPath, args: [runbook, ...args], cwd: folder },
      shown: ['runbook', ...args].join(' '),
      before: async () => {},
      after: async () => {},
    };
  },
};

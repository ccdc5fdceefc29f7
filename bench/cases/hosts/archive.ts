import { randomBytes } from 'node:crypto';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Case } from '../../case.ts';
import { compare, leftOutNotes, noPlainAnsible } from '../../compare.ts';
import { within } from '../../goals.ts';
import type { PeerName } from '../../peers/peer.ts';
import { writePlay } from '../../plays/play.ts';
import { startLoopback, whyNoLoopback } from '../../targets/loopback.ts';

/** One big file to several hosts at a time. It cannot be compressed. */
export const archive: Case = {
  id: 'archive',
  async run(bench) {
    const skipped = whyNoLoopback();
    if (skipped !== undefined) return { skipped };
    const megabytes = bench.scale.isSmoke ? 2 : 200;
    const hosts = bench.scale.isSmoke ? 2 : 10;
    const play = await writePlay(bench.folder, {
      name: 'archive',
      tasks: [`copy: { src: archive.bin, dest: '{{ root }}/archive.bin', mode: '0644' }`],
      shell: { input: 'files/archive.bin', command: '"cat >$4/archive.bin"' },
    });
    await writeFile(join(bench.folder, 'archive.bin'), randomBytes(megabytes * 1e6));
    await symlink(join(bench.folder, 'archive.bin'), join(bench.folder, 'archive/files/archive.bin'));
    await using targets = await startLoopback(hosts);
    const entrants: readonly PeerName[] = ['runbook', 'Ansible with pipelining', 'Mitogen', 'ssh'];
    const counting = { hosts: 2 };
    const tools = await compare(bench, { play, targets, entrants, forks: hosts, start: 'fresh', counting });
    return {
      title: 'A big archive to several hosts',
      input: `${megabytes} MB to ${targets.description}, all at a time`,
      metric: { name: 'wall time', unit: 'ms' },
      tools,
      goals: within(tools, 'ssh', 1.3),
      notes: [
        'ssh pipes the file into `cat`: nothing compares it, syncs it, or renames it into place',
        noPlainAnsible,
        ...leftOutNotes(bench, entrants),
      ],
    };
  },
};

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../../test/lab/run.ts';
import { type Bench, type Case, type ToolResult } from '../../case.ts';
import { compare, leftOutNotes, noPlainAnsible } from '../../compare.ts';
import { countAtMost } from '../../goals.ts';
import type { PeerName } from '../../peers/peer.ts';
import { type Play, writePlay } from '../../plays/play.ts';
import { startLoopback, whyNoLoopback } from '../../targets/loopback.ts';
import type { Targets } from '../../targets/targets.ts';

/** Many small files, none of which is there. */
export const smallFiles: Case = {
  id: 'small-files',
  async run(bench) {
    const skipped = whyNoLoopback();
    if (skipped !== undefined) return { skipped };
    const files = bench.scale.isSmoke ? 10 : 1000;
    // Counting slows the slow ones down to half an hour.
    const counted = files / 10;
    const play = await loopOver(bench, files);
    await using targets = await startLoopback(1);
    const tools = await compare(bench, {
      play,
      targets,
      entrants: ['runbook', 'Ansible with pipelining', 'Mitogen', 'ssh'],
      forks: 1,
      start: 'fresh',
      counting: { hosts: 1, play: await loopOver(bench, counted) },
    });
    return {
      title: 'Many small files, none of which is there',
      input: `${files} files of 1 KiB to 1 sshd target on loopback, in one task with a loop`,
      metric: { name: 'wall time', unit: 'ms' },
      tools,
      goals: [],
      notes: [
        'ssh pipes an archive that is there already into `tar`: nothing compares the files',
        `Round trips, bytes and processes are counted with ${counted} files`,
        noPlainAnsible,
        ...leftOutNotes(bench, ['Ansible with pipelining', 'Mitogen']),
      ],
    };
  },
};

async function loopOver({ folder }: Bench, files: number): Promise<Play> {
  const names = Array.from({ length: files }, (_, i) => `part-${String(i).padStart(4, '0')}.conf`);
  const play = await writePlay(folder, {
    name: `files-${files}`,
    tasks: [
      `copy: { src: '{{ item }}', dest: '{{ root }}/{{ item }}', mode: '0644' }\n      loop: [${names.join(', ')}]`,
    ],
    shell: { input: 'files.tar', command: '"tar -x -C $4"' },
  });
  const own = join(folder, play.name);
  for (const name of names) await writeFile(join(own, 'files', name), `# ${name}\n`.padEnd(1024, '0123456789\n'));
  await run('tar', ['-cf', join(own, 'files.tar'), '-C', join(own, 'files'), '.']);
  return play;
}

/** What it costs on the wire to see that a file is as it should be. */
export const fileBytes: Case = {
  id: 'file-bytes',
  async run(bench) {
    const skipped = whyNoLoopback();
    if (skipped !== undefined) return { skipped };
    // The plays of the others are tried by other cases, and what is not counted has no value here.
    const copiers: readonly PeerName[] = bench.scale.isSmoke
      ? ['runbook']
      : ['runbook', 'Ansible with pipelining', 'Mitogen'];
    const few = await copies(bench, 1);
    const many = await copies(bench, 21);
    await using targets = await startLoopback(1);
    const ofFew = await countedCopies(bench, copiers, few, targets);
    const ofMany = await countedCopies(bench, copiers, many, targets);
    const tools = ofMany.map((result, i) => {
      const bytes = (result.counts?.sentBytes ?? Number.NaN) - (ofFew[i]?.counts?.sentBytes ?? Number.NaN);
      // Of the first result stays what the second has not: that a tool left something undone.
      return { ...ofFew[i], ...result, value: bytes / (many.tasks - few.tasks) };
    });
    return {
      title: 'A file that is as it should be, on the wire',
      input: `${many.tasks} copies of 8 kB on 1 sshd target on loopback, against ${few.tasks}`,
      metric: { name: 'bytes sent for each task', unit: 'B' },
      tools,
      goals: countAtMost('bytes sent for each task', 1000, tools[0]?.value, 'B'),
      notes: leftOutNotes(bench, copiers),
    };
  },
};

async function copies({ folder }: Bench, count: number): Promise<Play> {
  const names = Array.from({ length: count }, (_, i) => `copy-${i}.conf`);
  const play = await writePlay(folder, {
    name: `copies-${count}`,
    tasks: names.map((name) => `copy: { src: ${name}, dest: '{{ root }}/${name}', mode: '0644' }`),
  });
  for (const name of names) {
    await writeFile(join(folder, play.name, 'files', name), `# ${name}\n`.padEnd(8000, 'value = 0123456789\n'));
  }
  return play;
}

function countedCopies(
  bench: Bench,
  copiers: readonly PeerName[],
  play: Play,
  targets: Targets,
): Promise<ToolResult[]> {
  return compare(bench, { play, targets, entrants: copiers, forks: 1, start: 'converged', counting: { hosts: 1 } });
}

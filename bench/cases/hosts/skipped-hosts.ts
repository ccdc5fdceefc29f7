import type { Bench, Case, CaseResult } from '../../case.ts';
import { compare, leftOutNotes } from '../../compare.ts';
import { atMost } from '../../goals.ts';
import type { PeerName } from '../../peers/peer.ts';
import { writePlay } from '../../plays/play.ts';
import type { Targets } from '../../targets/targets.ts';

/** A task that no host wants: nobody has to be asked. */
export const skippedOnThousand: Case = {
  id: 'skipped-1000',
  run: (bench) => skippedOn(bench, bench.scale.isSmoke ? 10 : 1000, Number.POSITIVE_INFINITY),
};

/** The same on more hosts than anybody waits for. */
export const skippedOnThousands: Case = {
  id: 'skipped-5000',
  run: (bench) => skippedOn(bench, bench.scale.isSmoke ? 50 : 5000, 1000),
};

async function skippedOn(bench: Bench, count: number, limitMs: number): Promise<CaseResult> {
  const names: readonly PeerName[] = ['runbook', 'Ansible'];
  const play = await writePlay(bench.folder, {
    name: 'skipped',
    tasks: [`command: { cmd: 'true' }\n      when: false`],
    reset: '',
  });
  const tools = await compare(bench, {
    play,
    targets: nowhere(count),
    entrants: names,
    forks: 50,
    start: 'fresh',
    counting: undefined,
  });
  return {
    title: `A task with \`when: false\` on ${count} hosts`,
    input: `1 task on ${count} hosts, 50 at a time`,
    metric: { name: 'wall time', unit: 'ms' },
    tools,
    goals: limitMs === Number.POSITIVE_INFINITY ? [] : atMost('wall time', limitMs, tools[0]?.value, 'ms'),
    notes: ['No host is contacted, so there are no round trips', ...leftOutNotes(bench, names)],
  };
}

/** Hosts that nobody could reach: who tries, fails. The addresses are reserved for benchmarks of networks (RFC 2544). */
function nowhere(count: number): Targets {
  const hosts = Array.from({ length: count }, (_, i) => ({
    name: `node-${i}`,
    address: `198.18.${i >> 8}.${i & 255}`,
    port: 22,
    hostKey: 'ssh-ed25519 AAAA',
    root: '/',
  }));
  return {
    description: `${count} hosts`,
    hosts,
    keyFile: '/dev/null',
    execute: async () => {},
    logins: async () => new Map(),
    serverPids: [],
  };
}

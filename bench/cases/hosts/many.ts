import type { Bench, Case, CaseResult, Goal, Skipped, ToolResult } from '../../case.ts';
import { type Comparison, type Counting, compare, leftOutNotes } from '../../compare.ts';
import { atMost } from '../../goals.ts';
import type { PeerName } from '../../peers/peer.ts';
import { takePlay } from '../../plays/play.ts';
import { startLoopback, whyNoLoopback } from '../../targets/loopback.ts';

const forks = 50;

/** More hosts than at a time. */
export const hundredHosts: Case = {
  id: 'hosts-100',
  run: (bench) =>
    onLoopback(bench, bench.scale.isSmoke ? 2 : 100, {
      entrants: ['runbook', 'Ansible', 'Ansible with pipelining', 'Mitogen', 'ssh'],
      counting: { hosts: bench.scale.isSmoke ? 2 : 10 },
    }),
};

/** A fleet. Ansible would take an hour for a run. */
export const thousandHosts: Case = {
  id: 'hosts-1000',
  run: (bench) =>
    onLoopback(bench, bench.scale.isSmoke ? 6 : 1000, {
      entrants: ['runbook', 'ssh'],
      counting: { hosts: bench.scale.isSmoke ? 2 : 10 },
      notes: [
        'No target was lost: a run that loses one has another exit status, and ends the case',
        'Ansible and Mitogen were left out: a run would take the better part of an hour',
      ],
      goals: fleetGoals,
    }),
};

interface Special {
  readonly entrants: readonly PeerName[];
  readonly counting: Counting;
  readonly notes?: readonly string[];
  readonly goals?: (bench: Bench, comparison: Comparison, tools: readonly ToolResult[]) => Promise<Goal[]>;
}

async function onLoopback(bench: Bench, count: number, special: Special): Promise<CaseResult | Skipped> {
  const skipped = whyNoLoopback();
  if (skipped !== undefined) return { skipped };
  const play = await takePlay('plain', 17, bench.folder);
  await using targets = await startLoopback(count);
  const { entrants, counting } = special;
  const comparison: Comparison = { play, targets, entrants, forks, start: 'converged', counting };
  const tools = await compare(bench, comparison);
  return {
    title: `${count} hosts as they should be`,
    input: `${play.tasks} tasks on ${targets.description}, ${forks} at a time`,
    metric: { name: 'wall time', unit: 'ms' },
    tools,
    goals: (await special.goals?.(bench, comparison, tools)) ?? [],
    notes: [...(special.notes ?? []), ...leftOutNotes(bench, entrants)],
  };
}

/** What logging in costs is what a play of one command costs, which is a little more than the handshake alone. */
async function fleetGoals(bench: Bench, comparison: Comparison, [runbook]: readonly ToolResult[]): Promise<Goal[]> {
  const play = await takePlay('login', 1, bench.folder);
  const [login] = await compare(bench, { ...comparison, play, entrants: ['runbook'], counting: undefined });
  if (runbook === undefined || login === undefined) return [];
  const hosts = comparison.targets.hosts.length;
  const loginMs = (login.measurement.cpuMs.median / hosts).toFixed(1);
  const cpuMs = runbook.measurement.cpuMs.median - login.measurement.cpuMs.median;
  return [
    ...atMost(`CPU time for each host, ${loginMs} ms of a play of one command taken off,`, 10, cpuMs / hosts, 'ms'),
    ...atMost('peak memory', 400, runbook.measurement.peakMb.max, 'MiB'),
  ];
}

import type { Bench, Case, CaseResult, Goal, Skipped, ToolResult } from '../../case.ts';
import { type Comparison, compare, leftOutNotes, noPlainAnsible } from '../../compare.ts';
import { throughProxy } from '../../counting/proxy.ts';
import { atMost, countAtMost, fasterThan, within } from '../../goals.ts';
import type { PeerName } from '../../peers/peer.ts';
import { takePlay } from '../../plays/play.ts';
import { labTargets, whyNoLab } from '../../targets/lab.ts';
import type { Targets } from '../../targets/targets.ts';

const everybody: readonly PeerName[] = [
  'runbook',
  'Ansible',
  'Ansible with pipelining',
  'Mitogen',
  'ssh',
  'ssh with ControlMaster',
];
const withCheckMode = everybody.slice(0, 4);

/** The play that everything else is measured by: nothing is left to do. */
export const convergedNodes: Case = {
  id: 'nodes-converged',
  needsLab: true,
  run: (bench) =>
    onNodes(bench, 'A play whose nodes are as they should be', everybody, { start: 'converged' }, (tools) => [
      ...fasterThan(tools, 'Ansible with pipelining', 20),
      ...fasterThan(tools, 'Mitogen', 8),
      ...within(tools, 'ssh', 1.6),
      ...countAtMost('round trips of a host after the login', 3, tools[0]?.counts?.roundTrips, ''),
    ]),
};

/** Nothing is left to do, and nothing would be done. */
export const checkedNodes: Case = {
  id: 'nodes-check',
  needsLab: true,
  run: (bench) =>
    onNodes(
      bench,
      'Check mode, nodes as they should be',
      withCheckMode,
      { start: 'converged', isCheck: true },
      () => [],
    ),
};

/** Everything is to be done. */
export const freshNodes: Case = {
  id: 'nodes-first-run',
  needsLab: true,
  run: (bench) =>
    onNodes(bench, 'The first run of the play, which changes everything', everybody, { start: 'fresh' }, (tools) => [
      ...fasterThan(tools, 'Ansible with pipelining', 8),
      ...fasterThan(tools, 'Mitogen', 4),
    ]),
};

/** Nodes far away. */
export const distantNodes: Case = {
  id: 'nodes-distant',
  needsLab: true,
  run: (bench) =>
    onNodes(
      bench,
      `Nodes as they should be, ${roundTripMs} ms away`,
      ['runbook', 'Ansible with pipelining', 'Mitogen', 'ssh', 'ssh with ControlMaster'],
      { start: 'converged' },
      (tools) => atMost('wall time, start of the process included', 12 * roundTripMs, tools[0]?.value, 'ms'),
      roundTripMs / 2,
    ),
};

const roundTripMs = 50;

/** What a case has of its own. */
type Special = Pick<Comparison, 'start'> & Partial<Comparison>;

async function onNodes(
  bench: Bench,
  title: string,
  names: readonly PeerName[],
  special: Special,
  goals: (tools: readonly ToolResult[]) => Goal[],
  delayMs = 0,
): Promise<CaseResult | Skipped> {
  const skipped = await whyNoLab();
  if (skipped !== undefined) return { skipped };
  const play = await takePlay('nodes', 20, bench.folder);
  const targets = await labTargets(bench.scale.isSmoke ? 2 : 3, bench.whyLeftOut('Ansible') === undefined);
  const compareAt = (at: Targets): Promise<ToolResult[]> =>
    compare(bench, {
      play,
      targets: at,
      entrants: names,
      forks: 3,
      // Near: counting has a way of its own to the nodes. The distance changes the time alone.
      counting: { hosts: 3, targets },
      ...special,
    });
  try {
    const tools = delayMs === 0 ? await compareAt(targets) : await withDelay(targets, delayMs, compareAt);
    return {
      title,
      input: `${play.tasks} tasks on ${targets.description}, 3 at a time`,
      metric: { name: 'wall time', unit: 'ms' },
      tools,
      goals: goals(tools),
      notes: [
        ...(special.isCheck ? ['ssh was left out: a script written by hand has no check mode'] : []),
        ...(delayMs === 0 ? [] : ['Round trips, bytes and processes are counted near the nodes', noPlainAnsible]),
        ...leftOutNotes(bench, names),
      ],
    };
  } finally {
    await targets.execute(play.reset);
  }
}

async function withDelay<T>(targets: Targets, delayMs: number, work: (at: Targets) => Promise<T>): Promise<T> {
  await using proxied = await throughProxy(targets, delayMs);
  return await work(proxied.targets);
}

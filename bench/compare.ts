import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, ToolResult } from './case.ts';
import { count } from './counting/count.ts';
import type { Counts } from './counting/counts.ts';
import { type Measured, measureInTurns, runOnce } from './measure.ts';
import type { PeerName, ReadyJob } from './peers/peer.ts';
import { peers } from './peers/peers.ts';
import type { Play } from './plays/play.ts';
import { someOf, type Targets } from './targets/targets.ts';

/** What is compared. */
export interface Comparison {
  readonly play: Play;
  readonly targets: Targets;
  /** The tools, runbook first. */
  readonly entrants: readonly PeerName[];
  /** Hosts at a time. */
  readonly forks: number;
  readonly isCheck?: boolean;
  /** converged: runbook has made it so before the tools are measured. fresh: all is taken away before every run. */
  readonly start: 'converged' | 'fresh';
  /** What is counted, in runs of their own; undefined: nothing. A smoke run counts runbook alone. */
  readonly counting: Counting | undefined;
}

/** A comparison whose round trips, bytes and processes are counted. */
export interface Counting extends Partial<Pick<Comparison, 'play' | 'targets'>> {
  /** So many of the hosts take part. */
  readonly hosts: number;
}

/** Runs the tools in turns. Those that are left out here are missing in what comes back. */
export async function compare(bench: Bench, comparison: Comparison): Promise<ToolResult[]> {
  const { targets, play, start, counting } = comparison;
  await targets.execute(play.reset);
  if (start === 'converged') await converge(bench, comparison);
  const entrants = comparison.entrants.filter((peer) => bench.whyLeftOut(peer) === undefined);
  const ready = await Promise.all(entrants.map((peer) => readyEntrant(bench, comparison, peer)));
  const measured = await measureInTurns(ready, bench.signal).finally(() =>
    Promise.all(ready.map(({ job }) => job.after())),
  );
  const results: ToolResult[] = [];
  for (const { program, measurement } of measured) {
    const { peer, job, isDone } = program;
    // With Ansible counting takes minutes.
    const isCounted = peer === 'runbook' || !bench.scale.isSmoke;
    const counts =
      counting && isCounted ? await countOne(bench, { ...comparison, ...counting }, counting.hosts, peer) : undefined;
    results.push({
      tool: peer,
      command: job.shown,
      measurement,
      value: measurement.wallMs.median,
      ...(counts !== undefined && { counts }),
      ...(!isDone() && { isIncomplete: true }),
    });
  }
  return results;
}

/** Who was left out of a comparison and why, for the case's notes. */
export function leftOutNotes(bench: Bench, names: readonly PeerName[]): string[] {
  return names.flatMap((name) => {
    const why = bench.whyLeftOut(name);
    return why === undefined ? [] : [`${name} was left out: ${why}`];
  });
}

/** For the notes of a case in which Ansible takes part with pipelining only. */
export const noPlainAnsible = 'Ansible without pipelining was left out: it is slower than with it';

/** A tool whose turns can begin. */
interface ReadyEntrant extends Measured {
  readonly peer: PeerName;
  readonly job: ReadyJob;
  /** Whether the hosts were, after its last run, as they are to be. */
  readonly isDone: () => boolean;
}

async function readyEntrant(bench: Bench, comparison: Comparison, peer: PeerName): Promise<ReadyEntrant> {
  const { play, targets, start } = comparison;
  const job = await readyJob(bench, comparison, peer, 'timed');
  let isDone = true;
  return {
    peer,
    job,
    command: job.command,
    runs: bench.scale.runs,
    async before() {
      if (start === 'fresh') await targets.execute(play.reset);
      await job.before();
      // What others have left to be written to the disk would take this one's time.
      execFileSync('sync');
    },
    async afterLast() {
      // It has another exit status when there is something left to do.
      const check = await readyJob(
        bench,
        { ...comparison, isCheck: true },
        'runbook',
        `after-${peer.replaceAll(' ', '-')}`,
      );
      isDone = await runOnce(check.command, bench.signal).then(
        () => true,
        () => false,
      );
    },
    isDone: () => isDone,
  };
}

/** Brings the hosts into the state that the tools then find: quickly by the script, and by runbook, to which it is to be so. */
async function converge(bench: Bench, comparison: Comparison): Promise<void> {
  const { play, targets } = comparison;
  const script = await readFile(join(bench.folder, play.name, 'script.sh'), 'utf8').catch(() => undefined);
  if (script !== undefined) await targets.execute(script);
  const job = await readyJob(bench, { ...comparison, isCheck: false }, 'runbook', 'converging');
  await runOnce(job.command, bench.signal);
}

async function countOne(bench: Bench, comparison: Comparison, hosts: number, peer: PeerName): Promise<Counts> {
  const { play, targets, start } = comparison;
  return count(bench, someOf(targets, hosts), async (at) => {
    if (start === 'fresh') await targets.execute(play.reset);
    return readyJob(bench, { ...comparison, targets: at }, peer, 'counted');
  });
}

/** Every job has a folder of its own, with a copy of the play. */
async function readyJob(
  { folder, runbookProgram }: Bench,
  { play, targets, forks, isCheck = false }: Comparison,
  peer: PeerName,
  purpose: string,
): Promise<ReadyJob> {
  const own = join(folder, `${peer.replaceAll(' ', '-')}-${play.name}-${purpose}`);
  await rm(own, { recursive: true, force: true });
  await mkdir(own, { recursive: true });
  await cp(join(folder, play.name), join(own, play.name), { recursive: true });
  return peers[peer].prepare({ folder: own, runbook: runbookProgram, play, targets, forks, isCheck });
}

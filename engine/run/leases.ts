import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, RunbookError } from '../base/errors.ts';
import { nodesOf } from '../language/nodes.ts';
import type { LeaseClause, Play } from '../language/playbook.ts';
import { stepsOf } from '../language/references.ts';
import type { RunContext } from './context.ts';
import { openAppendFile } from './journal/append-file.ts';
import type { StateLine } from './journal/lines.ts';
import { type Liveliness, readLock, takeLock } from './journal/lock.ts';
import { readHeldLeases } from './journal/read-state.ts';
import type { RecordedLease } from './journal/record.ts';
import { readRunFile } from './journal/run-file.ts';
import { taskKeyOf } from './journal/task-key.ts';
import { runFolder } from './journal.ts';
import { type ReleaseEnd, releaseLease, takeUp } from './lease-end.ts';
import { createLeaseHold } from './lease-hold.ts';
import type { LoadedRun } from './load.ts';
import type { RunRequest } from './request.ts';
import { runPlaybook } from './run.ts';

/** A lease that a run took, or began to take, and did not give back, as far as its journal says. */
export interface HeldLease extends RecordedLease {
  readonly runId: string;
  readonly playbook?: string;
  /** Of the run's process: while it runs, its leases are its own business. */
  readonly liveliness: Liveliness;
}

/** What became of one of them. */
export type Released = HeldLease & { readonly end: ReleaseEnd };

/** The leases that the runs of a journal's folder have, the oldest run first. */
export function listHeldLeases(journalDirectory: string): readonly HeldLease[] {
  return runsIn(journalDirectory).flatMap((runId) => {
    const folder = runFolder(journalDirectory, runId);
    const leases = readHeldLeases(folder);
    if (leases.length === 0) return [];
    const playbook = readRunFile(folder)?.playbook;
    const { liveliness } = readLock(folder);
    return leases.map((lease) => ({ ...lease, runId, liveliness, ...(playbook !== undefined && { playbook }) }));
  });
}

function runsIn(journalDirectory: string): readonly string[] {
  try {
    return readdirSync(join(journalDirectory, 'runs')).sort();
  } catch {
    return [];
  }
}

/**
 * Gives back leases of one run that has ended: with the modules, hosts and connections of its playbook and inventory, as
 * they are now. What was given back is noted in the run's journal. Raises `usage` where another process works on the run, and
 * what `runPlaybook` raises where its playbook cannot be loaded.
 */
export async function releaseLeases(
  request: Omit<RunRequest, 'instead' | 'journalDirectory' | 'resume'>,
  folder: string,
  leases: readonly HeldLease[],
): Promise<readonly Released[]> {
  const lock = takeLock(folder);
  if ('holder' in lock) {
    const { pid, machine } = lock.holder;
    throw new RunbookError('usage', `process ${pid} on ${machine} works on this run: its leases are its own`);
  }
  // Each line is synced, which raises what is amiss.
  const state = openAppendFile(join(folder, 'state.ndjson'), () => undefined);
  try {
    const released: Released[] = [];
    const release = async (context: RunContext, loaded: LoadedRun, lease: HeldLease): Promise<void> => {
      const end = await releaseOne(context, loaded, lease).catch(unreleased);
      if (end.is !== 'kept') {
        const time = new Date(context.clock.now()).toISOString();
        const { host, key } = lease;
        const line: StateLine = { t: 'lease', host, key, time, change: { at: 'released' } };
        state.append(JSON.stringify(line));
        state.sync();
      }
      released.push({ ...lease, end });
    };
    await runPlaybook({
      ...request,
      instead: async (context, loaded) => {
        await Promise.all(leases.map((lease) => context.limit(() => release(context, loaded, lease))));
      },
    });
    return leases.flatMap((lease) => released.find(({ host, key }) => host === lease.host && key === lease.key) ?? []);
  } finally {
    state.close();
    lock.release();
  }
}

function unreleased(error: unknown): ReleaseEnd {
  // What is no expected failure is a bug, and is told with its stack.
  if (!(error instanceof RunbookError)) throw error;
  return { is: 'kept', reason: errorMessage(error) };
}

async function releaseOne(context: RunContext, loaded: LoadedRun, lease: HeldLease): Promise<ReleaseEnd> {
  const host = context.hosts.get(lease.host);
  if (!host) throw new RunbookError('task-failed', `the inventory has no host "${lease.host}" any more`);
  const { clause, play } = clauseOf(loaded, lease);
  const hold = createLeaseHold(clause, { play });
  takeUp(context, hold, host, lease);
  return releaseLease(context, hold, host, { isUndo: lease.state === 'taking' });
}

/** The clause of the playbook that a lease was taken for. Turns of includes share one. */
function clauseOf({ playbook }: LoadedRun, { key, task }: HeldLease): { clause: LeaseClause; play: Play } {
  const all = playbook.plays.flatMap((play) => leaseClausesOf(play).map((clause) => ({ clause, play })));
  const found =
    all.find(({ clause }) => taskKeyOf(clause.task) === key) ??
    all.find(({ clause }) => clause.task.id === task.id && clause.task.module.name === task.module);
  if (found) return found;
  throw new RunbookError('task-failed', `the playbook has no lease "${task.name}" (${task.module}) any more`);
}

function leaseClausesOf(play: Play): LeaseClause[] {
  return [...stepsOf(nodesOf(play))].flatMap((node) => (node.kind === 'block' && node.lease ? [node.lease] : []));
}

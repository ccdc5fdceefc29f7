import { systemClock } from '../base/clock.ts';
import { RunbookError } from '../base/errors.ts';
import { createEventBus } from '../base/events.ts';
import { readRunFile } from '../run/journal/run-file.ts';
import { runFolder } from '../run/journal.ts';
import { type HeldLease, listHeldLeases, type Released, releaseLeases } from '../run/leases.ts';
import type { RunRequest } from '../run/request.ts';
import type { Cli } from './cli.ts';
import { findRun, journalDirectory } from './find-run.ts';
import { watchInterrupts } from './interrupts.ts';
import { restoreOptions } from './kept-options.ts';
import type { ReleaseOptions } from './leases.ts';
import { askPrompts } from './prompts.ts';
import { readConnection, readSelection } from './run-play-command.ts';
import { openerFor } from './secret-options.ts';
import { showReleased } from './show-leases.ts';

/** Runs `runbook leases release` and gives its exit code. Raises `usage` where it is not said what is to be released. */
export async function releaseCommandLine(cli: Cli, options: ReleaseOptions): Promise<number> {
  const leases = chosen(options);
  const released: Released[] = [];
  for (const runId of new Set(leases.map((lease) => lease.runId))) {
    released.push(
      ...(await releaseOfRun(
        cli,
        runId,
        leases.filter((lease) => lease.runId === runId),
        options,
      )),
    );
  }
  showReleased(cli, released, options.output);
  return released.some(({ end }) => end.is === 'kept') ? 2 : 0;
}

function chosen({ run, host, all }: ReleaseOptions): readonly HeldLease[] {
  if (run === undefined && host === undefined && !all) {
    throw new RunbookError('usage', 'say which leases: --run ID, --host NAME or --all', {
      hint: 'runbook leases lists them',
    });
  }
  const runId = run === undefined ? undefined : findRun(run);
  const leases = listHeldLeases(journalDirectory).filter(
    (lease) => (runId === undefined || lease.runId === runId) && (host === undefined || lease.host === host),
  );
  const isAsked = runId !== undefined || host !== undefined;
  const atWork = leases.find(({ liveliness }) => liveliness !== 'dead');
  if (atWork && isAsked) {
    throw new RunbookError('usage', `${atWork.host}: the run ${atWork.runId} that holds it has not ended`, {
      hint: `interrupt it; if it does not run any more, remove ${runFolder(journalDirectory, atWork.runId)}/lock`,
    });
  }
  return leases.filter(({ liveliness }) => liveliness === 'dead');
}

async function releaseOfRun(
  cli: Cli,
  runId: string,
  leases: readonly HeldLease[],
  given: ReleaseOptions,
): Promise<readonly Released[]> {
  const folder = runFolder(journalDirectory, runId);
  const request = await requestOf(cli, runId, given);
  using interrupts = watchInterrupts(process, {
    note: (text) => cli.errors.write(`${text}\n`),
    graceMs: 60_000,
    exitNow: () => cli.exitNow(130),
  });
  const { signal, abort } = interrupts;
  return releaseLeases({ ...request, signal, abort }, folder, leases);
}

/** What the run was started with, as far as reaching its hosts and reading its playbook go. */
async function requestOf(
  cli: Cli,
  runId: string,
  given: ReleaseOptions,
): Promise<Omit<RunRequest, 'signal' | 'abort'>> {
  const file = readRunFile(runFolder(journalDirectory, runId));
  if (!file) throw new RunbookError('usage', `what the run ${runId} was started with cannot be read`);
  const { run: _r, host: _h, all: _a, output: _o, ...again } = given;
  const options = restoreOptions(runId, file.options, { ...again, output: 'plain' });
  const opener = await openerFor(cli, options);
  const selection = await readSelection(file.playbook, options, opener);
  return {
    ...selection,
    isCheckMode: false,
    isDiff: false,
    forks: options.forks,
    ...(options.hostKeyChecking && { hostKeyChecking: options.hostKeyChecking }),
    connection: await readConnection(cli, options),
    masker: cli.masker,
    ask: (plays) => askPrompts(cli, plays, selection.extraVars),
    bus: createEventBus(systemClock.now, (error) => {
      throw error;
    }),
  };
}

import { Command, InvalidArgumentError } from 'commander';
import { formatDuration, systemClock } from '../base/clock.ts';
import { visible } from '../report/text.ts';
import { isResumable, type KeptRun, readRuns, removeRun } from '../run/journal/runs.ts';
import type { Cli } from './cli.ts';
import { journalDirectory } from './find-run.ts';
import { wholeNumber } from './shared-options.ts';

interface PruneOptions {
  readonly keep?: number;
  readonly olderThan?: number;
  readonly force: boolean;
}

/** `runbook runs` and `runbook runs prune`. */
export function runsCommand(cli: Cli): Command {
  const command = new Command('runs')
    .summary('list the runs that are kept here')
    .description(
      'Lists the runs that are kept in .runbook/runs, the latest first: how they stand, and what they still hold.',
    )
    .option('--output <kind>', 'text or json', 'text')
    .action(({ output }: { readonly output: string }) => {
      const runs = [...readRuns(journalDirectory)].reverse();
      cli.output.write(output === 'json' ? `${JSON.stringify(runs.map(asJson), undefined, 2)}\n` : formatRuns(runs));
    });
  return command.addCommand(pruneCommand(cli)).addHelpText('after', examples);
}

const examples = `
Examples:
  runbook runs                              what is kept
  runbook runs prune                        all but the latest 20 go
  runbook runs prune --older-than 30d       what is older goes; what holds leases or can be resumed stays`;

function pruneCommand(cli: Cli): Command {
  return new Command('prune')
    .summary('remove the records of old runs')
    .description('Removes the records of runs. Without an option, all but the latest 20.')
    .option('--keep <n>', 'leave the latest ones', wholeNumber)
    .option('--older-than <time>', 'only those that began so long ago: 30d, 12h', age)
    .option('--force', 'also those that hold leases or can be resumed; never one that is running', false)
    .action((options: PruneOptions) => {
      for (const { run, reason } of prune(options)) {
        cli.output.write(reason === undefined ? `removed ${run.id}\n` : `left    ${run.id}: ${reason}\n`);
      }
    });
}

/** Removes runs; gives those that were to be removed, with the reason where one was not. */
function prune({ keep, olderThan, force }: PruneOptions): { readonly run: KeptRun; readonly reason?: string }[] {
  const latest = keep ?? (olderThan === undefined ? 20 : 0);
  const runs = readRuns(journalDirectory);
  const before = olderThan === undefined ? Number.POSITIVE_INFINITY : systemClock.now() - olderThan;
  const old = runs.slice(0, Math.max(0, runs.length - latest)).filter((run) => beganAt(run) < before);
  return old.map((run) => {
    const reason = reasonToKeep(run, force);
    if (reason === undefined) removeRun(run);
    return { run, ...(reason !== undefined && { reason }) };
  });
}

function reasonToKeep(run: KeptRun, isForced: boolean): string | undefined {
  if (run.standing === 'running') return `it is running, as process ${run.holder?.pid}`;
  if (isForced) return undefined;
  if (run.standing === 'elsewhere') return `it may be running on ${run.holder?.machine} (--force removes it)`;
  if (run.leases.length > 0) return `it still holds ${leasesOf(run)} (--force removes it)`;
  if (isResumable(run)) return `it can be resumed: runbook resume ${run.id} (--force removes it)`;
  return undefined;
}

function formatRuns(runs: readonly KeptRun[]): string {
  if (runs.length === 0) return `no run is kept in ${journalDirectory}/runs\n`;
  const rows = runs.map((run) => [
    run.id,
    agoOf(run),
    standingText(run),
    String(run.file?.hosts ?? '?'),
    visible(run.file?.playbook ?? '?'),
    leasesOf(run),
  ]);
  const table = [['RUN', 'BEGAN', 'STATE', 'HOSTS', 'PLAYBOOK', 'STILL HELD'], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  return table
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** How a run stands, in words. */
export function standingText({ standing, file, holder }: KeptRun): string {
  const check = file?.isCheckMode ? ' (check)' : '';
  if (standing === 'running') return `running, process ${holder?.pid}${check}`;
  if (standing === 'elsewhere') return `on ${holder?.machine}${check}`;
  return `${standing}${check}`;
}

function leasesOf({ leases }: KeptRun): string {
  return leases.map(({ host, task }) => visible(`[${host}] ${task.name}`)).join(', ');
}

function beganAt({ file, id }: KeptRun): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(id) ?? [];
  return Date.parse(file?.began[0] ?? `${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function agoOf(run: KeptRun): string {
  return `${formatDuration(Math.max(0, systemClock.now() - beganAt(run)))} ago`;
}

function asJson(run: KeptRun): object {
  const { id, standing, file, leases } = run;
  const { playbook, isCheckMode, hosts, began, end } = file ?? {};
  return { id, state: standing, isResumable: isResumable(run), playbook, isCheckMode, hosts, began, end, leases };
}

/** Reads `30d`, `12h`, `45m` as milliseconds. */
function age(value: string): number {
  const [, amount, unit = ''] = /^(\d{1,6})([dhm])$/.exec(value) ?? [];
  const units: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000 };
  const factor = units[unit];
  if (amount === undefined || factor === undefined) throw new InvalidArgumentError('It must be like 30d, 12h or 45m.');
  return Number(amount) * factor;
}

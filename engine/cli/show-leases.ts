import { createPaint } from '../report/paint.ts';
import { visible } from '../report/text.ts';
import { type HeldLease, listHeldLeases, type Released } from '../run/leases.ts';
import type { Cli } from './cli.ts';
import { journalDirectory } from './find-run.ts';

/** Lists what is held. */
export function showLeases(cli: Cli, output: 'text' | 'json'): void {
  const leases = listHeldLeases(journalDirectory);
  cli.output.write(cli.masker.mask(output === 'json' ? toJson(leases.map(leaseView)) : table(cli, leases)));
}

/** Tells what became of those that were to be given back. */
export function showReleased(cli: Cli, released: readonly Released[], output: 'text' | 'json'): void {
  const views = released.map((lease) => ({ ...leaseView(lease), ...endView(lease) }));
  cli.output.write(cli.masker.mask(output === 'json' ? toJson(views) : releasedText(cli, released)));
}

function table(cli: Cli, leases: readonly HeldLease[]): string {
  if (leases.length === 0) return 'nothing is held\n';
  const paint = createPaint(cli.output.color);
  const rows = leases.map((lease) => [lease.host, lease.task.name, lease.runId, brief(lease.since), whyHeld(lease)]);
  const lines = columns([['HOST', 'LEASE', 'RUN', 'SINCE', 'WHY'], ...rows.map((row) => row.map(visible))]);
  return `${paint.bold(lines[0] ?? '')}\n${lines.slice(1).join('\n')}\n\nrunbook leases release gives back what no run is at work on.\n`;
}

function releasedText(cli: Cli, released: readonly Released[]): string {
  const paint = createPaint(cli.output.color);
  const line = ({ host, task, end }: Released): string => {
    const what = visible(`[${host}] ${task.name}`);
    if (end.is === 'released') return `released: ${what}`;
    if (end.is === 'lost') return paint.yellow(`not held any more: ${what}: ${visible(end.reason)}`);
    return paint.red(`still held: ${what}: ${visible(end.reason)}`);
  };
  return released.length === 0 ? 'nothing is held\n' : `${released.map(line).join('\n')}\n`;
}

/** Why a lease is still there. */
function whyHeld({ state, keptBecause, liveliness }: HeldLease): string {
  if (keptBecause !== undefined) return `kept: ${keptBecause}`;
  if (liveliness === 'running') return 'its run is at work';
  if (liveliness === 'elsewhere') return 'its run is, or was, on another machine';
  return state === 'taking' ? 'its run died while it took it' : 'its run died';
}

function leaseView(lease: HeldLease): object {
  const { runId, host, task, state, hasEffects, since, liveliness } = lease;
  return {
    run: runId,
    host,
    task: task.name,
    module: task.module,
    state: state === 'taking' ? 'being-taken' : 'held',
    since,
    reason: whyHeld(lease),
    isHostChanged: hasEffects,
    isRunning: liveliness === 'running',
  };
}

function endView({ end }: Released): object {
  return { result: end.is, ...(end.is !== 'released' && { message: end.reason }) };
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function toJson(value: readonly object[]): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** To the second: it is read by people. */
function brief(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}

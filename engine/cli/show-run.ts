import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileProblem, RunbookError } from '../base/errors.ts';
import type { Outcome, StampedEvent } from '../base/events.ts';
import { createPaint } from '../report/paint.ts';
import { formatRecap } from '../report/recap.ts';
import { visible, visibleEvent } from '../report/text.ts';
import { createTranscript } from '../report/transcript.ts';
import { isResumable, type KeptRun, readRun } from '../run/journal/runs.ts';
import { runFolder } from '../run/journal.ts';
import type { Cli } from './cli.ts';
import { findRun, journalDirectory } from './find-run.ts';
import { standingText } from './runs.ts';
import type { ShowOptions } from './show.ts';

/** Runs `runbook show`. */
export function showRun(cli: Cli, named: string, { host, output }: ShowOptions): void {
  const id = findRun(named);
  const run = readRun(runFolder(journalDirectory, id), id);
  const all = readEvents(run);
  const events = host === undefined ? all : all.filter((event) => isOfHost(event, host));
  if (host !== undefined && events.length === 0) {
    throw new RunbookError('usage', `nothing happened on "${host}" in the run ${id}`, {
      hint: `its hosts: ${hostsOf(all).join(', ')}`,
    });
  }
  if (output === 'ndjson') {
    for (const event of events) cli.output.write(`${JSON.stringify(event)}\n`);
    return;
  }
  cli.output.write(header(run));
  if (host === undefined) cli.output.write(recapOf(run, all, cli.output.color));
  else
    tellAgain(
      events.map((event) => narrowed(event, host)),
      cli,
    );
}

function readEvents({ folder }: KeptRun): StampedEvent[] {
  try {
    const lines = readFileSync(join(folder, 'events.ndjson'), 'utf8').split('\n').slice(0, -1);
    // Written by the journal.
    return lines.map((line) => JSON.parse(line) as StampedEvent);
  } catch (error) {
    throw new RunbookError('file-unreadable', `${folder}/events.ndjson: ${fileProblem(error)}`, { cause: error });
  }
}

function header(run: KeptRun): string {
  const { id, file, leases } = run;
  const lines = [
    `run       ${id}`,
    `playbook  ${visible(file?.playbook ?? '?')}`,
    `began     ${file?.began.join(', again ') ?? '?'}`,
    `state     ${standingText(run)}${file?.end?.stopReason === undefined ? '' : `: ${visible(file.end.stopReason)}`}`,
    ...leases.map(({ host, task, keptBecause, since }) => {
      const why = keptBecause === undefined ? '' : `: ${visible(keptBecause)}`;
      return `held      [${host}] ${visible(task.name)}, since ${since}${why}`;
    }),
    ...(leases.length > 0 ? [`          give it back: runbook leases release ${id}`] : []),
    ...(isResumable(run) ? [`go on     runbook resume ${id}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** The recap of a run that has ended; of one that has not, how far its hosts had come. */
function recapOf(run: KeptRun, events: readonly StampedEvent[], color: boolean): string {
  const paint = createPaint(color);
  const isCheckMode = run.file?.isCheckMode === true;
  const ended = run.file?.end ? events.findLast((event) => event.type === 'run-ended') : undefined;
  if (ended) return formatRecap(visibleEvent(ended), { isCheckMode, paint });
  const rows = summaries(events).map(({ host, counts, last }) => {
    const tasks = Object.entries(counts).map(([outcome, n]) => `${outcome}=${n}`);
    return `  ${host}  ${tasks.join('  ')}${last === undefined ? '' : `  ${visible(last)}`}\n`;
  });
  return `\n${paint.bold('NOT ENDED')}\n${rows.join('')}`;
}

interface SoFar {
  readonly host: string;
  readonly counts: Partial<Record<Outcome, number>>;
  last?: string;
}

function summaries(events: readonly StampedEvent[]): readonly SoFar[] {
  const hosts = new Map<string, SoFar>(hostsOf(events).map((host) => [host, { host, counts: {} }]));
  for (const event of events) {
    const host = 'host' in event ? hosts.get(event.host) : undefined;
    if (!host) continue;
    if (event.type === 'host-task-started') host.last = `in the midst of "${event.task.name}"`;
    if (event.type !== 'host-task-ended') continue;
    host.counts[event.outcome] = (host.counts[event.outcome] ?? 0) + 1;
    host.last = event.failure ? `"${event.task.name}": ${event.failure.message}` : `after "${event.task.name}"`;
  }
  return [...hosts.values()];
}

function hostsOf(events: readonly StampedEvent[]): string[] {
  const named = events.flatMap((event) =>
    event.type === 'run-started' || event.type === 'play-started' ? event.hosts : [],
  );
  return [...new Set(named)];
}

function isOfHost(event: StampedEvent, host: string): boolean {
  if ('host' in event) return event.host === host;
  return event.type === 'task-started' && event.hosts.includes(host);
}

/** An event as if the host were alone. */
function narrowed(event: StampedEvent, host: string): StampedEvent {
  return event.type === 'task-started' ? { ...event, hosts: [host] } : event;
}

function tellAgain(events: readonly StampedEvent[], { output }: Cli): void {
  const paint = createPaint(output.color);
  const transcript = createTranscript({ write: (text) => output.write(text), paint, isQuiet: false });
  for (const event of events) transcript(event);
}

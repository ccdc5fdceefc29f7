import { formatDuration } from '../base/clock.ts';
import type { Outcome, WaitView } from '../base/events.ts';
import type { HostActivity, LiveState, TaskTally } from './live-state.ts';
import { outcomePaint, outcomeWord } from './outcome.ts';
import type { Paint } from './paint.ts';
import { count, oneLine, truncate } from './text.ts';
import { manyHosts } from './transcript.ts';
import { runWaitsNow, waitText } from './waits.ts';

/** What rows are drawn with. */
export interface RowStyle {
  readonly width: number;
  readonly nowMs: number;
  readonly paint: Paint;
  /** The present picture of the turning wheel. */
  readonly wheel: string;
}

/** A piece of a row and its colour. */
type Piece = readonly [text: string, paint?: (text: string) => string];

const shownOutcomes: readonly Outcome[] = ['ok', 'changed', 'failed', 'unreachable', 'unknown', 'rescued', 'ignored'];
/** Tasks shown at the same time; leases and the tasks around them make two. */
const maxTasks = 5;
/** A task says what it waits for once it is clear that it takes time. */
const quietMs = 2000;

/** The live part of the screen: a row per host while there are few, else one per task with counters; then the total. */
export function liveRows(state: LiveState, style: RowStyle): string[] {
  const rows = state.hosts.length <= manyHosts ? hostRows(state, style) : taskRows(state, style);
  const waits = runWaitsNow(state, style.nowMs).map((wait) => fit(runWaitPieces(wait, style), style.width));
  return [...rows, ...waits, fit(totalRow(state, style), style.width)];
}

function hostRows(state: LiveState, style: RowStyle): string[] {
  const nameWidth = Math.max(...state.hosts.map((host) => host.length));
  return state.hosts.map((host) => {
    const activity = state.activities.get(host);
    const name = host.padEnd(nameWidth);
    if (activity) return fit([[`${style.wheel} ${name}  `], ...activityPieces(activity, style)], style.width);
    return fit([[`· ${name}  `, style.paint.dim], ...idlePieces(state, host, style)], style.width);
  });
}

function activityPieces(activity: HostActivity, { nowMs, paint }: RowStyle): Piece[] {
  const pieces: Piece[] = [[oneLine(activity.task.name)]];
  if (activity.item !== undefined) pieces.push([` (${oneLine(activity.item)})`]);
  pieces.push([`  ${age(nowMs - activity.sinceMs)}`, paint.dim]);
  const wait = activity.wait ?? activity.step;
  if (wait && nowMs - activity.sinceMs >= quietMs) pieces.push([`  ${waitText(wait, nowMs)}`, paint.cyan]);
  return pieces;
}

function runWaitPieces(wait: WaitView, { wheel, nowMs, paint }: RowStyle): Piece[] {
  return [[`${wheel} `], [waitText(wait, nowMs), paint.cyan]];
}

function idlePieces(state: LiveState, host: string, { paint }: RowStyle): Piece[] {
  const wait = state.waits.get(host);
  if (wait !== undefined) return [[`waits: ${oneLine(wait)}`, paint.cyan]];
  const inTurn = [...state.tallies.values()].find((tally) => tally.inTurn.has(host));
  if (inTurn) return [[`waits for its turn: ${oneLine(inTurn.task.name)}`, paint.cyan]];
  const last = state.lastEnds.get(host);
  if (!last) return [];
  const word = outcomeWord(last.outcome, state.isCheckMode);
  return [
    [word, outcomePaint(last.outcome, paint)],
    [`  ${oneLine(last.task)}`, paint.dim],
  ];
}

function taskRows(state: LiveState, style: RowStyle): string[] {
  const tallies = [...state.tallies.values()]
    .filter((tally) => state.isInStep || tally.running.size > 0)
    .slice(-maxTasks);
  return tallies.map((tally) => fit(tallyPieces(state, tally, style), style.width));
}

function tallyPieces(state: LiveState, tally: TaskTally, style: RowStyle): Piece[] {
  const pieces: Piece[] = [[`${style.wheel} ${oneLine(tally.task.name)} `]];
  pieces.push(...outcomePieces(state, tally.counts, style));
  pieces.push([`  running ${tally.running.size}/${tally.hosts.size}`]);
  const slowest = slowestOf(state, tally);
  if (!slowest) return pieces;
  const [host, activity] = slowest;
  if (style.nowMs - activity.sinceMs < quietMs) return pieces;
  pieces.push([`  slowest ${host} ${age(style.nowMs - activity.sinceMs)}`, style.paint.dim]);
  const wait = activity.wait ?? activity.step;
  if (wait) pieces.push([`: ${waitText(wait, style.nowMs)}`, style.paint.cyan]);
  return pieces;
}

function slowestOf(state: LiveState, tally: TaskTally): readonly [string, HostActivity] | undefined {
  let slowest: readonly [string, HostActivity] | undefined;
  for (const host of tally.running) {
    const activity = state.activities.get(host);
    if (activity && (!slowest || activity.sinceMs < slowest[1].sinceMs)) slowest = [host, activity];
  }
  return slowest;
}

function totalRow(state: LiveState, style: RowStyle): Piece[] {
  const { paint } = style;
  const mode = state.isCheckMode ? 'CHECK ' : '';
  const busy = state.activities.size > 0 ? `, ${state.activities.size} busy` : '';
  return [
    [`${style.wheel} `],
    [`${mode}${oneLine(state.play) || 'starting'}`, paint.bold],
    [progressOf(state)],
    [`  ${count(state.hosts.length, 'host')}${busy} `, paint.dim],
    ...outcomePieces(state, state.totals, style),
    [`  ${age(style.nowMs - state.startedMs)}`, paint.dim],
  ];
}

/** How far the play has come: out of step no task is the one in hand, and with a window every host is a batch. */
function progressOf({ isInStep, begun, taskCount, batches }: LiveState): string {
  if (isInStep) return taskCount > 0 ? `  task ${Math.min(begun.size, taskCount)} of ${taskCount}` : '';
  return batches.of > 1 ? `  batch ${batches.begun} of ${batches.of}, ${batches.ended} done` : '';
}

function outcomePieces(state: LiveState, counts: ReadonlyMap<Outcome, number>, { paint }: RowStyle): Piece[] {
  return shownOutcomes
    .filter((outcome) => (counts.get(outcome) ?? 0) > 0)
    .map(
      (outcome): Piece => [
        ` ${outcomeWord(outcome, state.isCheckMode)} ${counts.get(outcome)}`,
        outcomePaint(outcome, paint),
      ],
    );
}

function age(ms: number): string {
  // Whole seconds: tenths that change four times a second draw the eye for nothing.
  return ms < 60_000 ? `${Math.max(0, Math.floor(ms / 1000))} s` : formatDuration(ms);
}

/** Joins pieces and cuts them at the width: a row that wraps would be erased only in part. */
function fit(pieces: readonly Piece[], width: number): string {
  let left = width;
  let row = '';
  for (const [text, paint = (plain: string) => plain] of pieces) {
    if (left <= 0) break;
    const cut = truncate(text, left);
    row += paint(cut);
    left -= [...cut].length;
  }
  return row;
}

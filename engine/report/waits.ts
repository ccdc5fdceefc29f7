import type { WaitView } from '../base/events.ts';
import type { HostActivity, LiveState } from './live-state.ts';
import { errorKey } from './result-text.ts';
import { count, oneLine } from './text.ts';

/** More groups than this are counted only. */
const maxGroups = 5;
/** Hosts of a group that are named. */
const maxNamed = 3;

/** Hosts that wait for the same, or what the run waits for when there are none. */
interface WaitGroup {
  readonly hosts: readonly string[];
  /** As the one that waits longest has it. */
  readonly wait: WaitView;
}

/** What is waited for, for people. */
export interface WaitReport {
  /** `node-3: waiting for …, 41 s of 600 s`, what has taken longest first. */
  readonly lines: readonly string[];
  /** The same report again when this is equal: what differs are the times. */
  readonly key: string;
}

/** What a run waits for at this moment. Hosts that wait for the same are told together. */
export function describeWaits(state: LiveState, nowMs: number): WaitReport {
  const groups = [...runGroups(state, nowMs), ...hostGroups(state)].sort((a, b) => a.wait.sinceMs - b.wait.sinceMs);
  const shown = groups.slice(0, maxGroups);
  const lines = shown.map(({ hosts, wait }) => `${who(hosts)}${waitText(wait, nowMs)}`);
  const left = groups.slice(maxGroups).reduce((sum, { hosts }) => sum + hosts.length, 0);
  if (left > 0) lines.push(`${count(left, 'more host')}: waiting for something else each`);
  const inTurn = hostsInTurn(state);
  if (inTurn.length > 0) lines.push(`${who(inTurn)}waiting for ${inTurn.length === 1 ? 'its' : 'their'} turn`);
  return { lines, key: JSON.stringify(shown.map(({ hosts, wait }) => [hosts.length, keyOf(hosts[0], wait)])) };
}

/** `waiting for Ready, 41 s of 600 s`. */
export function waitText(wait: WaitView, nowMs: number): string {
  const waited = `${oneLine(wait.text)}, ${Math.max(0, Math.floor((nowMs - wait.sinceMs) / 1000))} s`;
  if (wait.deadlineMs === undefined) return waited;
  return `${waited} of ${Math.max(0, Math.round((wait.deadlineMs - wait.sinceMs) / 1000))} s`;
}

function runGroups(state: LiveState, nowMs: number): WaitGroup[] {
  return runWaitsNow(state, nowMs).map((wait) => ({ hosts: [], wait }));
}

/** What the run itself waits for; what it waited for before it went on to something else is left out. */
export function runWaitsNow({ runWaits }: LiveState, nowMs: number): readonly WaitView[] {
  return [...runWaits.values()].filter(({ deadlineMs }) => deadlineMs === undefined || nowMs <= deadlineMs);
}

function hostGroups(state: LiveState): WaitGroup[] {
  const groups = new Map<string, { hosts: string[]; wait: WaitView }>();
  for (const [host, activity] of state.activities) {
    const wait = waitOf(activity);
    const key = keyOf(host, wait);
    const known = groups.get(key);
    if (!known) groups.set(key, { hosts: [host], wait });
    else {
      known.hosts.push(host);
      if (wait.sinceMs < known.wait.sinceMs) known.wait = wait;
    }
  }
  return [...groups.values()];
}

/** A task that has not said what it waits for is waited for itself. */
function waitOf({ task, wait, step, sinceMs }: HostActivity): WaitView {
  return wait ?? step ?? { text: task.name, sinceMs };
}

function keyOf(host: string | undefined, { text }: WaitView): string {
  return host === undefined ? text : errorKey(host, text);
}

/** Hosts that wait until a throttle or the forks let them in. */
function hostsInTurn({ tallies }: LiveState): string[] {
  return [...new Set([...tallies.values()].flatMap(({ inTurn }) => [...inTurn]))];
}

function who(hosts: readonly string[]): string {
  if (hosts.length === 0) return '';
  return `${hosts.length > maxNamed ? count(hosts.length, 'host') : hosts.join(', ')}: `;
}

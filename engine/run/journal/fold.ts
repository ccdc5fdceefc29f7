import type { ChangeView } from '../../base/events.ts';
import { createStanding, cutOf, fall, moveTo, type Standing } from './down.ts';
import type { Cut, EncodedEnd, StateLine } from './lines.ts';
import type { LeaseChange, RecordedLease } from './record.ts';

/** What the lines of a run's state come to. */
export interface RunState {
  readonly hosts: Map<string, HostState>;
  readonly once: Map<string, { readonly host: string; readonly end: EncodedEnd }>;
  readonly marks: Set<string>;
  /** By host and key. */
  readonly leases: Map<string, RecordedLease>;
  /**
   * The lines are those of this process, which will not go on with itself: how its tasks ended is not kept in memory, however
   * many there are.
   */
  isOwn: boolean;
}

/** A task that ended on a host. */
export interface Entry {
  readonly key: string;
  readonly end: EncodedEnd;
  /** What it began: needed again where its end is taken back. */
  readonly begun?: Begun;
}

/** What a task did before its end. */
export interface Begun {
  /** An effect was begun, so its id is taken. */
  hasEffects: boolean;
  readonly items: Map<number, { readonly text: string; readonly end: EncodedEnd }>;
  /** What its effects were to change, by item. */
  readonly effects: Map<string, readonly ChangeView[]>;
  readonly attempts: Map<string, number>;
}

/** What one host did. */
export interface HostState {
  /** In one process, or replayed by it; empty where the lines are one's own. */
  done: Entry[];
  /** How many those are. */
  ended: number;
  /** The number, counted from 1, of the last of them that was not skipped; 0 where there is none. */
  lastActed: number;
  /** In former processes, and not replayed by now. */
  left: Entry[];
  /** Tasks that have not ended. */
  readonly begun: Map<string, Begun>;
  /** In which boot of their host former processes started steps, by the ids of their effects. */
  readonly boots: Map<string, string>;
  /** See {@link HostRecord.generation}, by key. */
  readonly generations: Map<string, number>;
  standing: Standing;
  /** It was cut back before this process began. */
  isRetried: boolean;
  /** It was cut back just now. */
  isCut: boolean;
}

/** The state of a run that has no line. */
export function createRunState(): RunState {
  return { hosts: new Map(), once: new Map(), marks: new Set(), leases: new Map(), isOwn: false };
}

/** Takes the next line into the state, in place. */
export function applyLine(state: RunState, line: StateLine): void {
  switch (line.t) {
    case 'began':
      for (const host of state.hosts.values()) beginAgain(host);
      return;
    case 'mark':
      state.marks.add(line.what);
      return;
    case 'lease':
      return applyLease(state, line);
    case 'task':
      if (line.once !== undefined) state.once.set(line.once, line);
      return applyToHost(hostStateOf(state, line.host), line, state);
    default:
      return applyToHost(hostStateOf(state, line.host), line, state);
  }
}

/** What is known of a host; from here on it is there. */
export function hostStateOf({ hosts }: RunState, name: string): HostState {
  const known = hosts.get(name);
  if (known) return known;
  const host: HostState = {
    done: [],
    ended: 0,
    lastActed: 0,
    left: [],
    begun: new Map(),
    boots: new Map(),
    generations: new Map(),
    standing: createStanding(),
    isRetried: false,
    isCut: false,
  };
  hosts.set(name, host);
  return host;
}

/** Where a host that is down has to begin again. */
export function cutOfHost(host: HostState): Cut | undefined {
  return cutOf(host.standing, (since) => hasActed(host, since));
}

/** What a task of a host began and did not end. */
export function begunOf(host: HostState, key: string): Begun {
  const begun = host.begun.get(key) ?? nothingBegun(false);
  host.begun.set(key, begun);
  return begun;
}

/** See {@link HostRecord.generation}. */
export function generationOf({ generations }: HostState, key: string): number {
  return generations.get(key) ?? 0;
}

function applyToHost(
  host: HostState,
  line: Exclude<StateLine, { readonly t: 'began' | 'mark' | 'lease' }>,
  { isOwn }: RunState,
): void {
  switch (line.t) {
    case 'cut':
      return cut(host, line);
    case 'kept': {
      const at = host.left.findIndex((entry) => entry.key === line.key);
      for (const entry of at < 0 ? [] : host.left.splice(at, 1)) endTask(host, entry, isOwn);
      return;
    }
    case 'forgot':
      drop(host, host.left.splice(0), false);
      return;
    case 'task': {
      const begun = host.begun.get(line.key);
      host.begun.delete(line.key);
      if (begun?.hasEffects) addGeneration(host, line.key, 1);
      return endTask(host, { key: line.key, end: line.end, ...(begun && { begun }) }, isOwn);
    }
    case 'dropped':
      addGeneration(host, line.key, 1);
      host.begun.get(line.key)?.attempts.clear();
      return;
    case 'item':
      begunOf(host, line.key).items.set(line.number, line);
      begunOf(host, line.key).effects.delete(String(line.number));
      return;
    case 'effect': {
      const begun = begunOf(host, line.key);
      begun.hasEffects = true;
      begun.effects.set(line.item, line.changes);
      return;
    }
    case 'step':
      if (!isOwn) host.boots.set(line.effect, line.boot);
      return;
    case 'attempt': {
      const { attempts } = begunOf(host, line.key);
      attempts.set(line.item, (attempts.get(line.item) ?? 0) + 1);
      return;
    }
    case 'down':
      return fall(host.standing, host.ended);
    case 'block':
      return moveTo(host.standing, line, host.ended, (since) => hasActed(host, since));
  }
}

function endTask(host: HostState, entry: Entry, isOwn: boolean): void {
  const { outcome } = entry.end.result;
  if (outcome === 'failed' || outcome === 'unreachable') fall(host.standing, host.ended);
  host.ended++;
  if (outcome !== 'skipped') host.lastActed = host.ended;
  if (!isOwn) host.done.push(entry);
}

function hasActed({ lastActed }: HostState, since: number): boolean {
  return lastActed > since;
}

function beginAgain(host: HostState): void {
  const { done } = host;
  resetEnds(host);
  host.left = [...done, ...host.left];
  host.isRetried = host.isCut;
  host.isCut = false;
}

function cut(host: HostState, { keep, isBlock }: Cut): void {
  const all = [...host.done, ...host.left];
  resetEnds(host);
  host.left = all.slice(0, keep);
  host.isCut = true;
  // What a rescue may have undone has to be looked at again. The ids stay taken.
  if (isBlock) for (const [key, begun] of host.begun) host.begun.set(key, nothingBegun(begun.hasEffects));
  drop(host, all.slice(keep), !isBlock);
}

function resetEnds(host: HostState): void {
  host.done = [];
  host.ended = 0;
  host.lastActed = 0;
  host.standing = createStanding();
}

/** Takes ends back. Of the first one what went well stays, where `isToGoOn`: it goes on at the item that failed. */
function drop(host: HostState, entries: readonly Entry[], isToGoOn: boolean): void {
  for (const [i, { key, end, begun }] of entries.entries()) {
    // An effect whose end nobody saw is the same effect still: it may be running, or have ended since. Unless the task began
    // another one after it.
    const isLast =
      !host.begun.get(key)?.hasEffects && !entries.slice(i + 1).some((e) => e.key === key && e.begun?.hasEffects);
    if (!begun?.hasEffects || !isOpen(end) || !isLast) continue;
    addGeneration(host, key, -1);
    begunOf(host, key).hasEffects = true;
  }
  const [first] = entries;
  if (!isToGoOn || !first?.begun) return;
  const now = begunOf(host, first.key);
  for (const [number, item] of first.begun.items)
    if (!isFailed(item.end) && !now.items.has(number)) now.items.set(number, item);
  for (const [item, changes] of first.begun.effects) if (!now.effects.has(item)) now.effects.set(item, changes);
}

function isOpen({ result: { outcome, failure } }: EncodedEnd): boolean {
  return outcome === 'unreachable' || failure?.isOpen === true;
}

function isFailed({ result }: EncodedEnd): boolean {
  return result.outcome === 'failed' || result.outcome === 'unreachable';
}

function addGeneration({ generations }: HostState, key: string, by: 1 | -1): void {
  generations.set(key, (generations.get(key) ?? 0) + by);
}

function nothingBegun(hasEffects: boolean): Begun {
  return { hasEffects, items: new Map(), effects: new Map(), attempts: new Map() };
}

function applyLease({ leases }: RunState, { host, key, time, change }: Extract<StateLine, { t: 'lease' }>): void {
  const id = leaseId(host, key);
  if (change.at === 'released') {
    leases.delete(id);
    return;
  }
  const known = leases.get(id);
  if (change.at === 'taking') {
    const { task, grant, args } = change;
    const taking: RecordedLease = {
      ...{ host, key, task, grant, state: 'taking', hasEffects: false, since: time },
      ...(args !== undefined && { args }),
    };
    leases.set(id, known ? { ...taking, hasEffects: known.hasEffects, since: known.since } : taking);
  } else if (known) leases.set(id, { ...known, ...changeOf(change) });
}

function changeOf(change: Exclude<LeaseChange, { readonly at: 'taking' | 'released' }>): Partial<RecordedLease> {
  switch (change.at) {
    case 'taken':
      return { state: 'taken' };
    case 'used':
      return { hasEffects: true };
    case 'kept':
      return { keptBecause: change.reason };
  }
}

/** Where a lease stands in {@link RunState.leases}. */
export function leaseId(host: string, key: string): string {
  return `${host} ${key}`;
}

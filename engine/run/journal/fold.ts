import type { ChangeView } from '../../base/events.ts';
import { createStanding, cutOf, fall, moveTo, type Standing } from './down.ts';
import type { Cut, EncodedEnd, StateLine } from './lines.ts';
import type { EndedAs, LeaseChange, RecordedLease } from './record.ts';

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
  readonly of?: EndedAs['of'];
  /** What it began: needed again where its end is taken back. */
  readonly begun?: Begun;
}

/** What a task did before its end. */
export interface Begun {
  /** An effect was begun, so its id is taken. */
  hasEffects: boolean;
  /** The host had failed by then. */
  isAfterFall: boolean;
  /**
   * The host begins again before it: it is the same still where nothing else is done first, as with a handler that was left
   * over. Once something is, it has to be done anew.
   */
  mayLapse: boolean;
  /** Those that ended. */
  readonly items: Map<string, EncodedEnd>;
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
  /** It was cut back, and no task has ended since. */
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
  const begun = host.begun.get(key) ?? nothingBegun(host.standing.downAt !== undefined);
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
    case 'forgot': {
      const { key } = line;
      const at = key === undefined ? 0 : host.left.findIndex((entry) => isHandlerOf(entry, key));
      takeBack(host, at < 0 ? [] : host.left.splice(at, key === undefined ? host.left.length : 1));
      return;
    }
    case 'task': {
      const begun = host.begun.get(line.key);
      host.begun.delete(line.key);
      if (begun?.hasEffects) addGeneration(host, line.key, 1);
      const { key, end, of } = line;
      host.isRetried &&= of !== undefined;
      return endTask(host, { key, end, ...(of && { of }), ...(begun && { begun }) }, isOwn);
    }
    case 'dropped':
      addGeneration(host, line.key, 1);
      host.begun.get(line.key)?.attempts.clear();
      return;
    case 'item':
      begunOf(host, line.key).items.set(line.item, line.end);
      // Of one that failed it has to be known what was begun.
      if (!isFailed(line.end)) begunOf(host, line.key).effects.delete(line.item);
      return;
    case 'effect': {
      lapse(host, line.key);
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
  // Still, where the process before came to nothing.
  host.isRetried ||= host.isCut;
  host.isCut = false;
}

function cut(host: HostState, { keep, isBlock }: Cut): void {
  const { done, left } = host;
  const dropped = done.slice(keep);
  resetEnds(host);
  // Handlers that ran after the failure ran for what had notified them before it.
  const handled = dropped.filter(hasHandled);
  // What a rescue may have undone is done again, or at least looked at.
  host.left = [...done.slice(0, keep), ...handled, ...(isBlock ? [] : left)];
  host.isCut = true;
  takeBack(host, isBlock ? dropped.filter(({ of }) => of === 'handler') : dropped);
  const [first] = dropped;
  if (!isBlock && first?.begun && !first.begun.isAfterFall) goOnIn(host, first.key, first.begun);
  for (const begun of host.begun.values()) begun.mayLapse ||= isBlock || begun.isAfterFall;
}

function hasHandled({ of, end }: Entry): boolean {
  return of === 'handler' && !end.isLeftOut && !isFailed(end) && end.result.outcome !== 'skipped';
}

/** Something is done: what may lapse has to be done anew, unless it is that. */
function lapse(host: HostState, done: string): void {
  for (const [key, begun] of host.begun) {
    if (!begun.mayLapse) continue;
    if (key === done) begun.mayLapse = false;
    else {
      host.begun.delete(key);
      if (begun.hasEffects) addGeneration(host, key, 1);
    }
  }
}

function resetEnds(host: HostState): void {
  host.done = [];
  host.ended = 0;
  host.lastActed = 0;
  host.standing = createStanding();
}

/**
 * Takes ends back. An effect whose end nobody saw is the same effect still: it may be running, or have ended since. Unless the
 * task began another one after it.
 */
function takeBack(host: HostState, entries: readonly Entry[]): void {
  for (const [i, { key, end, begun }] of entries.entries()) {
    const isLast =
      !host.begun.get(key)?.hasEffects && !entries.slice(i + 1).some((e) => e.key === key && e.begun?.hasEffects);
    if (!begun?.hasEffects || !isOpen(end) || !isLast) continue;
    addGeneration(host, key, -1);
    const again = begunOf(host, key);
    again.hasEffects = true;
    again.isAfterFall = begun.isAfterFall;
    restore(again.effects, begun.effects);
  }
}

/** Takes the end of a task back, which goes on at the item that failed: what went well stays. */
function goOnIn(host: HostState, key: string, before: Begun): void {
  const { items, effects } = begunOf(host, key);
  restore(items, new Map([...before.items].filter(([, end]) => !isFailed(end))));
  restore(effects, before.effects);
}

/** Puts back what was there before, unless there is something now. */
function restore<K, V>(now: Map<K, V>, before: ReadonlyMap<K, V>): void {
  for (const [key, value] of before) if (!now.has(key)) now.set(key, value);
}

function isOpen({ result: { outcome, failure } }: EncodedEnd): boolean {
  return outcome === 'unreachable' || failure?.isOpen === true;
}

/** Whether an entry is the end of a handler of this key. */
export function isHandlerOf({ of, key }: Entry, handler: string): boolean {
  return of === 'handler' && key === handler;
}

/** Whether it put its host out. */
export function isFailed({ result }: EncodedEnd): boolean {
  return result.outcome === 'failed' || result.outcome === 'unreachable';
}

function addGeneration({ generations }: HostState, key: string, by: 1 | -1): void {
  generations.set(key, (generations.get(key) ?? 0) + by);
}

function nothingBegun(isAfterFall: boolean): Begun {
  return { hasEffects: false, isAfterFall, mayLapse: false, items: new Map(), effects: new Map(), attempts: new Map() };
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

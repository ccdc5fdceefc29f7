import type { Outcome, StampedEvent, TaskRef, WaitView } from '../base/events.ts';
import { oneLine } from './text.ts';

/** What a host is doing. */
export interface HostActivity {
  readonly task: TaskRef;
  readonly item?: string;
  readonly sinceMs: number;
  /** The task that this one runs inside of: a lease is taken in the midst of the task that needs it. */
  readonly outer?: HostActivity;
  /** What it runs on the host. */
  readonly step?: WaitView;
  /** What it waits for, once it has said so; with a `step`, that the step is held up. */
  readonly wait?: WaitView;
}

/** How far a task has come over its hosts. */
export interface TaskTally {
  readonly task: TaskRef;
  readonly isHandler: boolean;
  readonly hosts: Set<string>;
  /** Those that have not begun: a throttle or the forks let only some of them in. */
  readonly inTurn: Set<string>;
  readonly running: Set<string>;
  readonly counts: Map<Outcome, number>;
}

/** A run as it stands, for whatever shows or explains the present moment. Times are milliseconds since the epoch. */
export interface LiveState {
  isCheckMode: boolean;
  startedMs: number;
  /** Every host that takes part, those that plays add included. */
  hosts: readonly string[];
  /** Batches of the play in hand that have begun and ended, and how many there are. */
  batches: { begun: number; ended: number; of: number };
  play: string;
  /** Hosts of the play in hand that take each task together; else each is somewhere else in it. */
  isInStep: boolean;
  /** Tasks begun in the play or its batch, by id, and how many there are. */
  readonly begun: Set<string>;
  taskCount: number;
  readonly activities: Map<string, HostActivity>;
  /** How each host's last task ended. */
  readonly lastEnds: Map<string, { readonly task: string; readonly outcome: Outcome }>;
  /** Tasks that some host has not ended, in the order in which they began; out of step every task that began. */
  readonly tallies: Map<string, TaskTally>;
  readonly totals: Map<Outcome, number>;
  /** Why hosts are not started that could be. */
  readonly waits: Map<string, string>;
  /** What the run itself waits for. */
  readonly runWaits: Map<string, WaitView>;
  /** Host and task of every lease that is held. */
  readonly leases: Map<string, { readonly host: string; readonly task: string }>;
  isEnded: boolean;
}

/** The state before the first event. */
export function createLiveState(): LiveState {
  return {
    isCheckMode: false,
    startedMs: 0,
    hosts: [],
    batches: { begun: 0, ended: 0, of: 0 },
    play: '',
    isInStep: true,
    begun: new Set(),
    taskCount: 0,
    activities: new Map(),
    lastEnds: new Map(),
    tallies: new Map(),
    totals: new Map(),
    waits: new Map(),
    runWaits: new Map(),
    leases: new Map(),
    isEnded: false,
  };
}

/** Takes the next event into the state, in place: a run of 600 hosts has some hundred thousand events. */
export function advance(state: LiveState, event: StampedEvent): void {
  const now = Date.parse(event.time);
  switch (event.type) {
    case 'run-started':
      state.isCheckMode = event.isCheckMode;
      state.hosts = event.hosts;
      state.startedMs = now;
      return;
    case 'play-started':
      state.play = event.name;
      state.isInStep = event.isInStep;
      state.batches = { begun: 0, ended: 0, of: 0 };
      state.hosts = [...new Set([...state.hosts, ...event.hosts])];
      state.taskCount = event.taskCount;
      state.begun.clear();
      state.tallies.clear();
      return;
    case 'batch-started':
      state.batches.begun++;
      state.batches.of = event.of;
      state.waits.delete(event.hosts[0] ?? '');
      if (!state.isInStep) return;
      state.begun.clear();
      state.tallies.clear();
      return;
    case 'batch-ended':
      state.batches.ended++;
      return;
    case 'host-waiting':
      state.waits.set(event.host, event.reason);
      return;
    case 'task-started':
      return beginTask(state, event.task, event.hosts, event.isHandler);
    case 'host-task-started': {
      state.waits.delete(event.host);
      const outer = state.activities.get(event.host);
      state.activities.set(event.host, { task: event.task, sinceMs: now, ...(outer && { outer }) });
      const tally = state.tallies.get(event.task.id);
      tally?.inTurn.delete(event.host);
      tally?.running.add(event.host);
      return;
    }
    case 'host-task-progress': {
      const { host, task, item } = event;
      const known = state.activities.get(host) ?? { task, sinceMs: now };
      state.activities.set(host, { ...known, ...(item !== undefined && { item }) });
      return setWait(state, host, event.text === '' ? undefined : waitOf(event.text, event), known.step);
    }
    case 'host-task-ended':
      return endHost(state, event.host, event.task, event.outcome);
    // From here on something may be left.
    case 'lease-taking':
    case 'lease-taken':
      state.leases.set(`${event.host} ${event.task.id}`, { host: event.host, task: event.task.name });
      return;
    case 'lease-released':
    case 'lease-lost':
      state.leases.delete(`${event.host} ${event.task.id}`);
      return;
    case 'run-ended':
      state.isEnded = true;
      state.activities.clear();
      return;
    case 'step-started':
      return setWait(state, event.host, undefined, waitOf(event.step, { ...event, sinceMs: now }));
    case 'step-ended':
      return setWait(state, event.host, undefined, undefined);
    case 'run-waiting':
      state.runWaits.set(event.text, waitOf(event.text, event));
      return;
    case 'run-wait-over':
      state.runWaits.delete(event.text);
      return;
    case 'bake-started':
      if (event.waitMs > 0 && !state.isCheckMode) state.runWaits.set(bakeText(event), bakeWait(event, now));
      return;
    case 'bake-ended':
      state.runWaits.delete(bakeText(event));
      return;
    case 'warning':
    case 'host-connected':
    case 'host-resumed':
    case 'item-ended':
    case 'lease-kept':
    case 'lease-renewed':
    case 'play-ended':
    case 'stopping':
      // They say nothing about the present moment.
      return;
  }
}

/** What stays behind when the process ends at this moment: hosts with a task in flight, and leases that are held. */
export function describeLeftBehind(state: LiveState): string[] {
  if (state.isEnded) return [];
  const running = [...state.activities].map(([host, { task }]) => `in flight: [${host}] ${oneLine(task.name)}`);
  const held = [...state.leases.values()].map(({ host, task }) => `still held: [${host}] ${oneLine(task)}`);
  return [...running, ...held];
}

function bakeText({ number }: { readonly number: number }): string {
  return `watching batch ${number} before the next one starts`;
}

function bakeWait(bake: { readonly number: number; readonly waitMs: number }, now: number): WaitView {
  return { text: bakeText(bake), sinceMs: now, deadlineMs: now + bake.waitMs };
}

function waitOf(text: string, { sinceMs, deadlineMs }: Omit<WaitView, 'text'>): WaitView {
  return { text, sinceMs, ...(deadlineMs !== undefined && { deadlineMs }) };
}

function setWait(state: LiveState, host: string, wait: WaitView | undefined, step: WaitView | undefined): void {
  const activity = state.activities.get(host);
  if (!activity) return;
  const { wait: _wait, step: _step, ...rest } = activity;
  state.activities.set(host, { ...rest, ...(step && { step }), ...(wait && { wait }) });
}

function beginTask(state: LiveState, task: TaskRef, hosts: readonly string[], isHandler: boolean): void {
  if (!isHandler) state.begun.add(task.id);
  const none: TaskTally = {
    task,
    isHandler,
    hosts: new Set(),
    inTurn: new Set(),
    running: new Set(),
    counts: new Map(),
  };
  // A lease begins for one host after the other.
  const tally = state.tallies.get(task.id) ?? none;
  for (const host of hosts) {
    tally.hosts.add(host);
    tally.inTurn.add(host);
  }
  state.tallies.set(task.id, tally);
}

function endHost(state: LiveState, host: string, task: TaskRef, outcome: Outcome): void {
  const activity = state.activities.get(host);
  if (activity?.outer) state.activities.set(host, activity.outer);
  else state.activities.delete(host);
  state.lastEnds.set(host, { task: task.name, outcome });
  state.totals.set(outcome, (state.totals.get(outcome) ?? 0) + 1);
  const tally = state.tallies.get(task.id);
  if (!tally) return;
  tally.running.delete(host);
  tally.counts.set(outcome, (tally.counts.get(outcome) ?? 0) + 1);
  let ended = 0;
  for (const n of tally.counts.values()) ended += n;
  if (state.isInStep && ended >= tally.hosts.size) state.tallies.delete(task.id);
}

import type {
  ChangeView,
  HostSummary,
  Outcome,
  RunEvent,
  StampedEvent,
  TaskRef,
  TaskResult,
} from '../../engine/base/events.ts';

/** What {@link eventStream} builds on. */
export interface EventStream {
  readonly events: StampedEvent[];
  /** Lets time pass before the next event. */
  wait(ms: number): EventStream;
  add(event: RunEvent): EventStream;
  /** A task from beginning to end: `results` by host, `ok` for the hosts that are not named. */
  task(name: string, hosts: readonly string[], results?: Record<string, Partial<TaskResult>>): EventStream;
  /** The end of the run; hosts that are not named in `ends` are ok. */
  end(exitCode: number, ends?: Record<string, Partial<HostSummary>>): EventStream;
}

/** Builds a recorded run for tests: started, one play over all hosts, then whatever the test adds. */
export function eventStream(
  hosts: readonly string[],
  options: { isCheckMode?: boolean; isDiff?: boolean; isInStep?: boolean } = {},
): EventStream {
  const events: StampedEvent[] = [];
  let now = Date.UTC(2026, 0, 2, 3, 4, 5);
  let tasks = 0;
  const stream: EventStream = {
    events,
    wait(ms) {
      now += ms;
      return stream;
    },
    add(event) {
      events.push({ v: 1, seq: events.length, time: new Date(now).toISOString(), ...event });
      return stream;
    },
    task(name, on, results = {}) {
      const task = taskRef(name, ++tasks);
      stream.add({ type: 'task-started', task, hosts: on, isHandler: false });
      for (const host of on) stream.add({ type: 'host-task-started', task, host });
      for (const host of on) stream.add({ type: 'host-task-ended', task, host, ...taskResult(results[host]) });
      return stream;
    },
    end(exitCode, ends = {}) {
      const summary = hosts.map((host) => hostSummary(host, ends[host]));
      stream.add({ type: 'play-ended', id: 'play-1' });
      return stream.add({ type: 'run-ended', exitCode, durationMs: 65_000, summary });
    },
  };
  const { isCheckMode = false, isDiff = false, isInStep = true } = options;
  const playbook = 'site.yaml';
  stream.add({ type: 'run-started', runId: 'r1', playbook, isCheckMode, isDiff, hosts, forks: 50 });
  return stream.add({ type: 'play-started', id: 'play-1', name: 'nodes', hosts, taskCount: 4, isInStep });
}

/** A task as events name it. */
export function taskRef(name: string, number = 1): TaskRef {
  return { id: `play-1/${number}`, name, module: 'file', place: `site.yaml:${number + 4}:5` };
}

/** A result; `ok` without changes unless told otherwise. */
export function taskResult(result: Partial<TaskResult> = {}): TaskResult {
  return { outcome: 'ok', durationMs: 40, changes: [], ...result };
}

/** A change. */
export function change(path: string, before: unknown, after: unknown): ChangeView {
  return { path, before, after };
}

/** `node-1` … `node-n`. */
export function nodes(n: number): string[] {
  return Array.from({ length: n }, (_, i) => `node-${i + 1}`);
}

/** Counts of outcomes, 0 where nothing is said. */
export function counts(some: Partial<Record<Outcome, number>>): HostSummary['counts'] {
  const none = { ok: 0, changed: 0, skipped: 0, unknown: 0, failed: 0, unreachable: 0, rescued: 0, ignored: 0 };
  return { ...none, ...some };
}

function hostSummary(host: string, end: Partial<HostSummary> = {}): HostSummary {
  return { host, state: 'ok', counts: counts({ ok: 2 }), pendingHandlers: [], leases: [], ...end };
}

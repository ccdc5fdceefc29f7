import type { Diagnostic } from './diagnostic.ts';

/** What became of a task on a host. */
export type Outcome = 'ok' | 'changed' | 'skipped' | 'unknown' | 'failed' | 'unreachable' | 'rescued' | 'ignored';

/** What became of a host in a run: exactly one of these. */
export type FinalState =
  | 'ok'
  | 'changed'
  | 'failed'
  | 'unreachable'
  /** It failed, and `meta: rolled_back` says that it is as it was before. */
  | 'rolled-back'
  | 'interrupted'
  | 'not-started';

/** Why the failure budget stopped a run, in numbers. */
export interface BudgetView {
  /** What counts, in the order of the hosts. A host whose task timed out is `timed out`. */
  readonly down: readonly {
    readonly host: string;
    readonly state: 'failed' | 'unreachable' | 'timed out' | 'rolled-back';
  }[];
  /** Of so many hosts: those of the run so far, or of the batch. */
  readonly of: number;
  /** The limit that was reached, as it is written: `max_failures 2`. */
  readonly limit: string;
  /** Hosts of the play that were not started. */
  readonly notStarted: number;
}

/** One difference, as reporters show it. */
export interface ChangeView {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Why something failed, for people and for programs. */
export interface FailureView {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** An effect of it may be running on the host still. */
  readonly isOpen?: true;
}

/** The task that an event is about. */
export interface TaskRef {
  readonly id: string;
  readonly name: string;
  readonly module: string;
  /** `playbooks/x.yaml:12:5` */
  readonly place: string;
}

interface OnHost {
  readonly task: TaskRef;
  readonly host: string;
  /** Where the task ran, when that is another host than `host`. */
  readonly delegatedTo?: string;
  /** The loop's item as text: its label, where it has one. */
  readonly item?: string;
}

/** What is waited for. Times are milliseconds since the epoch. */
export interface WaitView {
  /** `waiting for …`, `connecting (authentication)`: it can stand after a host's name. */
  readonly text: string;
  /** When the wait began. */
  readonly sinceMs: number;
  /** When it is given up. */
  readonly deadlineMs?: number;
}

/** The effect of a step, by which its host knows it. */
export interface EffectView {
  readonly effect?: string;
  /** Names the time since the host started: after a restart it does not know the effect any more. */
  readonly boot?: string;
}

/** Everything that happens in a run. Reporters and the journal are reducers over these. */
export type RunEvent =
  | {
      readonly type: 'run-started';
      readonly runId: string;
      readonly playbook: string;
      readonly isCheckMode: boolean;
      readonly isDiff: boolean;
      /** Every host of any play, in order. */
      readonly hosts: readonly string[];
      readonly forks: number;
      /** A former process of the run was interrupted, stopped or died: what it did is not done again. */
      readonly isResumed?: boolean;
    }
  | { readonly type: 'warning'; readonly diagnostic: Diagnostic }
  | {
      readonly type: 'play-started';
      readonly id: string;
      readonly name: string;
      readonly hosts: readonly string[];
      /** Tasks and blocks at any depth, handlers not counted. */
      readonly taskCount: number;
      /** A task ends on all hosts of a batch before the next one begins. Else each host goes on as fast as it can. */
      readonly isInStep: boolean;
    }
  /** With a window every host is a batch of its own, and several are in hand at the same time. */
  | { readonly type: 'batch-started'; readonly number: number; readonly of: number; readonly hosts: readonly string[] }
  /** A host could start, were it not for a limit (`max_per_group`). Told once. */
  | { readonly type: 'host-waiting'; readonly host: string; readonly reason: string }
  | {
      readonly type: 'host-connected';
      readonly host: string;
      readonly description: string;
      readonly durationMs: number;
    }
  /** In a run that is resumed: the host has come to what was not done before. */
  | {
      readonly type: 'host-resumed';
      readonly host: string;
      /** Where it goes on. */
      readonly task: TaskRef;
      /** How many tasks it had done. */
      readonly replayed: number;
    }
  /** A task begins for a set of hosts. `isHandler` when it was notified. */
  | {
      readonly type: 'task-started';
      readonly task: TaskRef;
      readonly hosts: readonly string[];
      readonly isHandler: boolean;
    }
  | ({ readonly type: 'host-task-started' } & OnHost)
  /**
   * What a task waits for just now, for live rows and for lines that break a silence; an empty text when that is over.
   * Told once it takes time.
   */
  | ({ readonly type: 'host-task-progress' } & OnHost & WaitView)
  /** What the run waits for, no host in particular. Told once it takes time; `run-wait-over` when it has come. */
  | ({ readonly type: 'run-waiting' } & WaitView)
  | { readonly type: 'run-wait-over'; readonly text: string }
  /** An effect is about to be run on a host, or was run. Never emitted for probes. */
  | ({ readonly type: 'step-started'; readonly step: string; readonly deadlineMs?: number } & OnHost & EffectView)
  | ({
      readonly type: 'step-ended';
      readonly step: string;
      readonly rc: number;
      readonly durationMs: number;
      /** Its end was not seen: it may still be running on the host. */
      readonly isOpen?: true;
    } & OnHost &
      EffectView)
  /** One turn of a loop; the task's own end follows after the last one. */
  | ({ readonly type: 'item-ended' } & OnHost & TaskResult)
  | ({ readonly type: 'host-task-ended' } & OnHost & TaskResult)
  | {
      /**
       * `lease-taking` comes before anything is done, `lease-lost` when another holder has it, or nobody. One that is kept
       * stays held when the run ends.
       */
      readonly type: 'lease-taking' | 'lease-taken' | 'lease-renewed' | 'lease-released' | 'lease-kept' | 'lease-lost';
      readonly task: TaskRef;
      readonly host: string;
      /** What `release` needs; JSON-like. */
      readonly grant: unknown;
      readonly reason?: string;
    }
  | { readonly type: 'batch-ended'; readonly number: number }
  /** A batch has ended and is watched for some time; then the tasks of its health gate run. Both only told in check mode. */
  | {
      readonly type: 'bake-started';
      readonly number: number;
      readonly of: number;
      readonly hosts: readonly string[];
      /** 0 after the last batch: nothing comes after it. */
      readonly waitMs: number;
      /** The names of the gate's tasks. */
      readonly tasks: readonly string[];
    }
  | {
      readonly type: 'bake-ended';
      readonly number: number;
      readonly outcome: 'ok' | 'failed' | 'interrupted' | 'not-run';
    }
  | { readonly type: 'play-ended'; readonly id: string }
  /** The run stops before its end: the failure budget, or the user. */
  | { readonly type: 'stopping'; readonly reason: string; readonly budget?: BudgetView }
  | {
      readonly type: 'run-ended';
      readonly exitCode: number;
      readonly durationMs: number;
      readonly summary: readonly HostSummary[];
      /** Set when the budget stopped the run or the user interrupted it. */
      readonly stopReason?: string;
      /** Set when the budget stopped the run. */
      readonly budget?: BudgetView;
    };

/** How a task ended on a host. */
export interface TaskResult {
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** What was (or in check mode would be) changed. */
  readonly changes: readonly ChangeView[];
  /** A line for people: an action's message, why it was skipped, why it is unknown, why it cannot be verified. */
  readonly message?: string;
  readonly failure?: FailureView;
  /** Effects whose module says that they cannot be verified. */
  readonly unverified?: string;
  readonly attempts?: number;
}

/** A host's line in the recap. */
export interface HostSummary {
  readonly host: string;
  readonly state: FinalState;
  readonly counts: Readonly<Record<Outcome, number>>;
  readonly failure?: FailureView & { readonly task: string };
  /** Handlers that were notified and did not run. */
  readonly pendingHandlers: readonly string[];
  readonly leases: readonly { readonly task: string; readonly reason: string }[];
  /** Tasks whose effects their modules cannot verify, with why. */
  readonly unverified?: readonly { readonly task: string; readonly reason: string }[];
}

/** An event as it leaves the process: with its version, number, and time in ISO 8601 UTC. */
export type StampedEvent = RunEvent & { readonly v: 1; readonly seq: number; readonly time: string };

/** Receives events in order. Must neither throw nor block: a slow reader must not slow a run. */
export type Subscriber = (event: StampedEvent) => void;

/** Where the executor puts events. */
export interface EventBus {
  emit(event: RunEvent): void;
  subscribe(subscriber: Subscriber): void;
}

/** Makes a bus that stamps events and hands them to every subscriber; one that throws is reported to `onError` and left out. */
export function createEventBus(now: () => number, onError: (error: unknown) => void): EventBus {
  const subscribers = new Set<Subscriber>();
  let seq = 0;
  return {
    emit(event) {
      const stamped: StampedEvent = { v: 1, seq: seq++, time: new Date(now()).toISOString(), ...event };
      for (const subscriber of subscribers) {
        try {
          subscriber(stamped);
        } catch (error) {
          subscribers.delete(subscriber);
          onError(error);
        }
      }
    },
    subscribe(subscriber) {
      subscribers.add(subscriber);
    },
  };
}

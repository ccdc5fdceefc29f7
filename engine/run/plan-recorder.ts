import type { ChangeView, FinalState, Outcome, StampedEvent } from '../base/events.ts';
import { createTaskKeys, type PlannedChange, type PlannedHost, type PlannedItem, type PlannedTask } from './plan.ts';
import { plannedChange } from './plan-change.ts';
import { digestsOf, turnDigest, writeDigests } from './plan-digests.ts';
import type { BegunTask, PlanGate, TaskGate } from './plan-gate.ts';
import { type RunKey, valueDigest } from './run-key.ts';

/** Notes what check mode says of every task on every host. */
export interface PlanRecorder extends PlanGate {
  /** To be given the run's events, in which secrets are masked. */
  readonly on: (event: StampedEvent) => void;
  /** What was noted, once the run has ended. */
  hosts(): Readonly<Record<string, PlannedHost>>;
}

/** A part of a plan while it is made. */
interface Draft {
  outcome: Outcome;
  why?: string;
  changes?: readonly PlannedChange[];
  pending?: readonly string[];
}

interface TaskDraft extends Draft {
  readonly id: string;
  readonly key: string;
  name: string;
  module: string;
  place: string;
  delegated_to?: string;
  is_rescue?: boolean;
  items?: DraftItem[];
}

interface DraftItem extends Draft {
  item: string;
  readonly value: string;
}

interface HostDraft {
  readonly keyOf: ReturnType<typeof createTaskKeys>;
  readonly tasks: TaskDraft[];
  /** The task that the host is at. */
  current?: TaskDraft;
  state?: FinalState;
}

/** A recorder that has noted nothing; digests are made with the key. */
export function createPlanRecorder(key: RunKey): PlanRecorder {
  const hosts = new Map<string, HostDraft>();
  const draftOf = (name: string): HostDraft => {
    const host = hosts.get(name) ?? { keyOf: createTaskKeys(), tasks: [] };
    hosts.set(name, host);
    return host;
  };
  const begin = ({ id, host: name, turn, isUnwinding }: BegunTask): TaskGate => {
    const host = draftOf(name);
    const task = newTask(id, host.keyOf(id, turnDigest(turn, key)));
    if (isUnwinding) task.is_rescue = true;
    const noteWhere = (on: string): void => {
      if (on !== name) task.delegated_to = on;
    };
    host.tasks.push(task);
    host.current = task;
    return {
      ...noting(task, key, noteWhere),
      item(_, value) {
        const item: DraftItem = { item: '', outcome: 'ok', value: valueDigest(key, 'item', value) };
        task.items = [...(task.items ?? []), item];
        return noting(item, key, noteWhere);
      },
    };
  };
  const on = (event: StampedEvent): void => {
    if (event.type === 'run-ended') for (const { host, state } of event.summary) draftOf(host).state = state;
    if (event.type !== 'host-task-ended' && event.type !== 'item-ended') return;
    const host = draftOf(event.host);
    const isCurrent = host.current?.id === event.task.id;
    if (event.type === 'item-ended') {
      const item = isCurrent ? host.current?.items?.at(-1) : undefined;
      if (item) Object.assign(item, { item: event.item ?? '' }, resultOf(event));
      return;
    }
    // What no task began is told too: leases, includes, facts, handlers that may run.
    const task = isCurrent ? host.current : newTask(event.task.id, host.keyOf(event.task.id, undefined));
    if (!task) return;
    const { name, module, place } = event.task;
    Object.assign(task, { name, module, place }, resultOf(event));
    if (task.items) delete task.changes;
    if (isCurrent) delete host.current;
    else if (event.outcome !== 'ok' && event.outcome !== 'skipped') host.tasks.push(task);
  };
  return {
    begin,
    on,
    hosts: () => Object.fromEntries([...hosts].map(([name, host]) => [name, plannedHost(host)])),
  };
}

function newTask(id: string, key: string): TaskDraft {
  return { id, key, name: id, module: '', place: '', outcome: 'ok' };
}

function noting(part: Draft, key: RunKey, noteWhere: (on: string) => void): TaskGate {
  const gate: TaskGate = {
    item: () => gate,
    decided: () => undefined,
    found(diff, on) {
      noteWhere(on);
      if (!('unknown' in diff)) part.pending = diff.map((change) => writeDigests(digestsOf(change, key)));
    },
    ended: (result) => result,
  };
  return gate;
}

type Ended = Extract<StampedEvent, { type: 'host-task-ended' | 'item-ended' }>;

function resultOf({ outcome, changes, message, failure }: Ended): Draft {
  const why = failure?.message ?? message;
  return {
    outcome,
    ...(why !== undefined && { why }),
    ...(changes.length > 0 && { changes: changes.map((change: ChangeView) => plannedChange(change)) }),
  };
}

function plannedHost({ tasks, state = 'not-started' }: HostDraft): PlannedHost {
  const planned = tasks.map(plannedTask);
  return { state: stateOf(planned, state), tasks: planned };
}

/** What people look for comes first. */
function plannedTask({ id: _, key, name, module, place, items, pending, ...rest }: TaskDraft): PlannedTask {
  return {
    name,
    module,
    place,
    ...rest,
    ...(items && {
      items: items.map(({ value, pending: left, ...item }) => ({ ...item, ...(left && { pending: left }), value })),
    }),
    ...(pending && !items && { pending }),
    key,
  };
}

function stateOf(tasks: readonly PlannedTask[], state: FinalState): PlannedHost['state'] {
  if (state === 'failed' || state === 'unreachable') return state;
  if (state !== 'ok' && state !== 'changed') return 'not-started';
  const parts = tasks.flatMap((task): readonly (PlannedTask | PlannedItem)[] => [task, ...(task.items ?? [])]);
  return parts.some(({ outcome }) => outcome === 'changed' || outcome === 'unknown') ? 'changes' : 'ok';
}

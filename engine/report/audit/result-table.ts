import { createHash } from 'node:crypto';
import type { Diagnostic } from '../../base/diagnostic.ts';
import type { ChangeView, Outcome, RunEvent, StampedEvent, TaskRef, TaskResult } from '../../base/events.ts';

/** A task of the run, in the order in which tasks were first come to. */
export interface TableTask extends TaskRef {
  readonly play: string;
  readonly isHandler: boolean;
}

/** A result that hosts have in common; equal ones are kept once. */
export interface DistinctResult extends Pick<TaskResult, 'outcome' | 'message' | 'failure' | 'unverified'> {
  /** Into {@link ResultTable.changes}. Of a loop those are its items'. */
  readonly changes: readonly number[];
  readonly item?: string;
  readonly delegatedTo?: string;
  /** The turns of a loop, into {@link ResultTable.results}. */
  readonly items: readonly number[];
}

/** What a task came to on a host. */
export interface Cell {
  /** Into {@link ResultTable.results}. More than one where the task ran several times: a handler, an include in a loop. */
  readonly results: readonly number[];
  readonly durationMs: number;
}

/** A run as hosts × tasks. */
export interface ResultTable {
  readonly run: Extract<StampedEvent, { type: 'run-started' }> | undefined;
  /** Absent while the run goes on. */
  readonly end: Extract<RunEvent, { type: 'run-ended' }> | undefined;
  readonly warnings: readonly Diagnostic[];
  /** In the order of the inventory; those that the run added come last. */
  readonly hosts: readonly string[];
  readonly tasks: readonly TableTask[];
  readonly results: readonly DistinctResult[];
  readonly changes: readonly ChangeView[];
  /** By host, then by task, both as places in the lists above. */
  readonly cells: readonly ReadonlyMap<number, Cell>[];
}

/** Reduces events to a {@link ResultTable}, which can be asked for at any time. */
export interface TableBuilder {
  readonly on: (event: StampedEvent) => void;
  readonly table: ResultTable;
}

/** Outcomes from the one to be looked at first to the one that needs no look. */
export const worstFirst: readonly Outcome[] = [
  ...(['failed', 'unreachable', 'changed', 'unknown', 'rescued', 'ignored', 'ok', 'skipped'] as const),
];

/**
 * Makes a {@link TableBuilder}. It holds each distinct change once, however many hosts have it: a thousand hosts with the
 * same pending file cost as much as one.
 */
export function createResultTable(): TableBuilder {
  const hosts = createIndex<string>();
  const tasks = createIndex<TableTask>();
  const changes = createIndex<ChangeView>();
  const results = createIndex<DistinctResult>();
  const cells: Map<number, Cell>[] = [];
  const warnings: Diagnostic[] = [];
  /** Turns of loops that have not ended, by host and task. */
  const turns = new Map<string, number[]>();
  const table: { -readonly [K in keyof ResultTable]: ResultTable[K] } = {
    run: undefined,
    end: undefined,
    warnings,
    hosts: hosts.values,
    tasks: tasks.values,
    results: results.values,
    changes: changes.values,
    cells,
  };
  let play = '';

  function on(event: StampedEvent): void {
    switch (event.type) {
      case 'run-started':
        table.run = event;
        for (const host of event.hosts) hostIndex(host);
        return;
      case 'warning':
        warnings.push(event.diagnostic);
        return;
      case 'play-started':
        play = event.name;
        for (const host of event.hosts) hostIndex(host);
        return;
      case 'task-started':
        taskIndex(event.task, event.isHandler);
        return;
      case 'item-ended': {
        const key = `${event.task.id}\0${event.host}`;
        turns.set(key, [...(turns.get(key) ?? []), addResult(event, [])]);
        return;
      }
      case 'host-task-ended':
        endTask(event);
        return;
      case 'run-ended':
        table.end = event;
        for (const { host } of event.summary) hostIndex(host);
        return;
      default:
        return;
    }
  }

  function endTask(event: Extract<StampedEvent, { type: 'host-task-ended' }>): void {
    const key = `${event.task.id}\0${event.host}`;
    const items = turns.get(key) ?? [];
    turns.delete(key);
    const result = addResult(event, items);
    const row = cells[hostIndex(event.host)];
    const column = taskIndex(event.task, false);
    const before = row?.get(column);
    const ran = [...(before?.results ?? []), result];
    row?.set(column, { results: ran, durationMs: (before?.durationMs ?? 0) + event.durationMs });
  }

  function addResult(
    { outcome, message, failure, unverified, item, delegatedTo, ...event }: ResultEvent,
    items: readonly number[],
  ): number {
    // The items of a loop hold its changes already.
    const own = items.length > 0 ? [] : event.changes;
    return results.add({
      outcome,
      changes: own.map(({ path, before, after }) => changes.add({ path, before, after })),
      items,
      ...(message !== undefined && { message }),
      ...(failure && { failure }),
      ...(unverified !== undefined && { unverified }),
      ...(item !== undefined && { item }),
      ...(delegatedTo !== undefined && delegatedTo !== event.host && { delegatedTo }),
    });
  }

  function hostIndex(host: string): number {
    const index = hosts.add(host);
    cells[index] ??= new Map();
    return index;
  }

  // One column a task, whatever its name is rendered to on later hosts.
  function taskIndex(task: TaskRef, isHandler: boolean): number {
    return tasks.add({ ...task, play, isHandler }, task.id);
  }

  return { on, table };
}

/** The worst outcome that a cell has come to. */
export function outcomeOf({ results }: ResultTable, cell: Cell): Outcome {
  const outcomes = cell.results.flatMap((index) => results[index]?.outcome ?? []);
  return worstFirst.find((outcome) => outcomes.includes(outcome)) ?? 'skipped';
}

type ResultEvent = Extract<StampedEvent, { type: 'item-ended' | 'host-task-ended' }>;

/** Values that are kept once each, and found again by what they are. */
function createIndex<T>() {
  const values: T[] = [];
  const known = new Map<string, number>();
  return {
    values,
    add(value: T, key = keyOf(value)): number {
      const index = known.get(key);
      if (index !== undefined) return index;
      known.set(key, values.length);
      return values.push(value) - 1;
    },
  };
}

/** What a value is known by. Of a long one the digest: the key must not hold it a second time. */
function keyOf(value: unknown): string {
  if (typeof value === 'string') return value;
  // A whole number of an expression and a text of the same digits are two values.
  const json = JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? { bigint: String(v) } : v));
  return json.length < 100 ? json : createHash('sha256').update(json).digest('base64');
}

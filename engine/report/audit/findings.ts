import type { ChangeView, HostSummary, Outcome } from '../../base/events.ts';
import { errorKey } from '../result-text.ts';
import type { DistinctResult, ResultTable } from './result-table.ts';

/** What there is to say of a task on some hosts. `differs`: it would be changed, or was. */
export type FindingKind = 'failed' | 'unreachable' | 'differs' | 'unknown' | 'tolerated';

/** Something that hosts have in common and that a person should know. */
export interface Finding {
  readonly kind: FindingKind;
  /** Into {@link ResultTable.tasks}. */
  readonly task: number;
  /** The loop's item. */
  readonly item?: string;
  /** What differs; absent where a module says no more than that something does. */
  readonly change?: ChangeView;
  /** Why it failed or cannot be known, in the words of the first of the hosts. */
  readonly message?: string;
  readonly code?: string;
  readonly hint?: string;
  /** In the order of the table. */
  readonly hosts: readonly string[];
}

/** In which order the findings of a task are told. */
export const findingKinds: readonly FindingKind[] = ['failed', 'unreachable', 'differs', 'unknown', 'tolerated'];

const kinds: Readonly<Record<Outcome, FindingKind | undefined>> = {
  failed: 'failed',
  unreachable: 'unreachable',
  changed: 'differs',
  unknown: 'unknown',
  rescued: 'tolerated',
  ignored: 'tolerated',
  ok: undefined,
  skipped: undefined,
};

/** The findings of a run: by task, in it failures first, then what most hosts have in common. */
export function findingsOf(table: ResultTable): readonly Finding[] {
  const groups = new Map<string, Finding & { readonly hosts: string[] }>();
  for (const [h, host] of table.hosts.entries()) {
    for (const [task, cell] of table.cells[h] ?? []) {
      for (const index of cell.results) for (const part of partsOf(table, index)) add(host, task, part);
    }
  }
  return [...groups.values()].sort(
    (a, b) =>
      a.task - b.task || findingKinds.indexOf(a.kind) - findingKinds.indexOf(b.kind) || b.hosts.length - a.hosts.length,
  );

  function add(host: string, task: number, part: Part): void {
    // Addresses and names in an error do not make it another one.
    const key = JSON.stringify([task, part.kind, part.item, part.changeIndex, errorKey(host, part.message)]);
    const known = groups.get(key);
    if (!known) groups.set(key, { ...describe(part), task, hosts: [host] });
    else if (known.hosts.at(-1) !== host) known.hosts.push(host);
  }

  function describe({ kind, item, changeIndex, message, code, hint }: Part): Omit<Finding, 'task' | 'hosts'> {
    const change = changeIndex === undefined ? undefined : table.changes[changeIndex];
    return {
      kind,
      ...(item !== undefined && { item }),
      ...(change && { change }),
      ...(message !== undefined && { message }),
      ...(code !== undefined && { code }),
      ...(hint !== undefined && { hint }),
    };
  }
}

/** Findings of a task on the same hosts, told together. */
export interface FindingGroup extends Omit<Finding, 'change'> {
  readonly changes: readonly ChangeView[];
}

/** Puts what differs on exactly the same hosts, in the same item of a task, together. */
export function groupFindings(findings: readonly Finding[]): readonly FindingGroup[] {
  const groups = new Map<string, FindingGroup & { readonly changes: ChangeView[] }>();
  for (const [i, { change, ...finding }] of findings.entries()) {
    const { task, kind, item, hosts } = finding;
    const key = change ? JSON.stringify([task, kind, item, hosts]) : String(i);
    const known = groups.get(key);
    if (known && change) known.changes.push(change);
    else groups.set(key, { ...finding, changes: change ? [change] : [] });
  }
  return [...groups.values()];
}

/** A host's standing: its final state, and `unknown` where nothing else but that is to be said of it. */
export function standingOf({ state, counts }: Pick<HostSummary, 'state' | 'counts'>): HostSummary['state'] | 'unknown' {
  return state === 'ok' && counts.unknown > 0 ? 'unknown' : state;
}

/** One thing that a result says. */
interface Part extends Pick<Finding, 'kind' | 'item' | 'message' | 'code' | 'hint'> {
  readonly changeIndex?: number;
}

function partsOf(table: ResultTable, index: number): readonly Part[] {
  const result = table.results[index];
  if (!result) return [];
  const items = result.items.flatMap((item) => partsOf(table, item));
  // A loop that failed before its first turn, or for another reason than a turn of it, says so itself.
  if (items.length > 0) return items;
  const kind = kinds[result.outcome];
  return kind === undefined ? [] : ownParts(kind, result);
}

function ownParts(kind: FindingKind, result: DistinctResult): readonly Part[] {
  const common = { kind, ...(result.item !== undefined && { item: result.item }) };
  if (kind === 'differs' && result.changes.length > 0) {
    return result.changes.map((changeIndex) => ({ ...common, changeIndex }));
  }
  const message = result.failure?.message ?? result.message;
  const { code, hint } = result.failure ?? {};
  return [
    {
      ...common,
      ...(message !== undefined && { message }),
      ...(code !== undefined && { code }),
      ...(hint !== undefined && { hint }),
    },
  ];
}

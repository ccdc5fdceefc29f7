import type { FinalState, Outcome } from '../../base/events.ts';
import { type FindingKind, findingsOf, groupFindings, standingOf } from '../audit/findings.ts';
import { compressNames } from '../audit/host-list.ts';
import type { DistinctResult, ResultTable } from '../audit/result-table.ts';
import { isLongText, showValue, unifiedDiff } from '../diff.ts';
import { exitCodeMeaning } from '../outcome.ts';
import { count, visible } from '../text.ts';

/** Of a longer diff a page shows the beginning. */
const maxDiffLines = 2000;

/** What the page knows of a run: names and equal things once each, referred to by their places in these lists. */
export interface PageData {
  readonly run: {
    readonly id: string;
    readonly playbook: string;
    readonly startedAt: string;
    readonly durationMs: number;
    readonly exitCode: number;
    readonly meaning: string;
    readonly isCheckMode: boolean;
    readonly stopReason?: string;
    /** The version of runbook. */
    readonly version: string;
  };
  readonly hosts: readonly PageHost[];
  readonly tasks: readonly {
    readonly name: string;
    readonly module: string;
    readonly place: string;
    readonly play: string;
    readonly isHandler: boolean;
  }[];
  /** By task a result, or several; -1 where the host did not come to the task. */
  readonly rows: readonly (readonly (number | readonly number[])[])[];
  readonly results: readonly PageResult[];
  readonly changes: readonly PageChange[];
  readonly findings: readonly PageFinding[];
}

/** A host and its line in the recap. */
export interface PageHost {
  readonly name: string;
  readonly standing: FinalState | 'unknown';
  /** Into `rows`: hosts to which the same happened share one. */
  readonly row: number;
  readonly failure?: { readonly task: string; readonly message: string };
}

/** What a task came to. */
export interface PageResult {
  readonly outcome: Outcome;
  readonly changes: readonly number[];
  readonly items: readonly number[];
  readonly item?: string;
  readonly delegatedTo?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly unverified?: string;
}

/** A change: two values, or the lines of a unified diff. */
export interface PageChange {
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
  readonly diff?: readonly string[];
}

/** A finding and its hosts, as places in `hosts` and as text. */
export interface PageFinding {
  readonly kind: FindingKind;
  readonly task: number;
  readonly item?: string;
  readonly changes: readonly number[];
  readonly message?: string;
  readonly hint?: string;
  readonly hosts: readonly number[];
  readonly names: string;
}

/** A run as the page takes it. Every text is visible: no control character and none that reorders text is left. */
export function pageData(table: ResultTable, version: string): PageData {
  const { run, end } = table;
  const exitCode = end?.exitCode ?? 1;
  const isCheckMode = run?.isCheckMode ?? false;
  const data: PageData = {
    run: {
      id: run?.runId ?? '',
      playbook: run?.playbook ?? '',
      startedAt: run?.time ?? '',
      durationMs: end?.durationMs ?? 0,
      exitCode,
      meaning: meaningOf(exitCode, isCheckMode, end !== undefined),
      isCheckMode,
      ...(end?.stopReason !== undefined && { stopReason: end.stopReason }),
      version,
    },
    ...hostsAndRows(table),
    tasks: table.tasks.map(({ name, module, place, play, isHandler }) => ({ name, module, place, play, isHandler })),
    results: table.results.map(pageResult),
    changes: table.changes.map(pageChange),
    findings: pageFindings(table),
  };
  // The shape is kept: only texts inside are replaced.
  return visibleTexts(data) as PageData;
}

function meaningOf(exitCode: number, isCheckMode: boolean, hasEnded: boolean): string {
  if (!hasEnded) return 'the run did not come to its end';
  if (exitCode === 0) return isCheckMode ? 'nothing differs' : 'done';
  return exitCodeMeaning(exitCode).replace('with --check: ', '');
}

function hostsAndRows(table: ResultTable): Pick<PageData, 'hosts' | 'rows'> {
  const rows: PageData['rows'][number][] = [];
  const known = new Map<string, number>();
  const summaries = new Map(table.end?.summary.map((summary) => [summary.host, summary]));
  const hosts = table.hosts.map((name, h): PageHost => {
    const row = table.tasks.map((_, task) => {
      const results = table.cells[h]?.get(task)?.results ?? [];
      return results.length > 1 ? results : (results[0] ?? -1);
    });
    const key = JSON.stringify(row);
    const index = known.get(key) ?? rows.push(row) - 1;
    known.set(key, index);
    const summary = summaries.get(name);
    const { failure } = summary ?? {};
    return {
      name,
      standing: summary ? standingOf(summary) : 'not-started',
      row: index,
      ...(failure && { failure: { task: failure.task, message: failure.message } }),
    };
  });
  return { hosts, rows };
}

function pageResult({ outcome, changes, items, item, delegatedTo, ...result }: DistinctResult): PageResult {
  const message = result.failure?.message ?? result.message;
  return {
    outcome,
    changes,
    items,
    ...(item !== undefined && { item }),
    ...(delegatedTo !== undefined && { delegatedTo }),
    ...(message !== undefined && { message }),
    ...(result.failure?.hint !== undefined && { hint: result.failure.hint }),
    ...(result.unverified !== undefined && { unverified: result.unverified }),
  };
}

function pageChange(change: ResultTable['changes'][number]): PageChange {
  const { path, before, after } = change;
  if (!isLongText(change)) return { path, before: showValue(before), after: showValue(after) };
  const lines = unifiedDiff(change);
  if (!lines) return { path, diff: ['… too different to compare line by line'] };
  if (lines.length <= maxDiffLines) return { path, diff: lines };
  return { path, diff: [...lines.slice(0, maxDiffLines), `… ${count(lines.length - maxDiffLines, 'more line')}`] };
}

function pageFindings(table: ResultTable): readonly PageFinding[] {
  const hostIndex = new Map(table.hosts.map((host, i) => [host, i]));
  const changeIndex = new Map(table.changes.map((change, i) => [change, i]));
  return groupFindings(findingsOf(table)).map(({ kind, task, item, changes, message, hint, hosts }) => ({
    kind,
    task,
    ...(item !== undefined && { item }),
    changes: changes.flatMap((change) => changeIndex.get(change) ?? []),
    ...(message !== undefined && { message }),
    ...(hint !== undefined && { hint }),
    hosts: hosts.flatMap((host) => hostIndex.get(host) ?? []),
    names: compressNames(hosts).join(', '),
  }));
}

function visibleTexts(value: unknown): unknown {
  if (typeof value === 'string') return visible(value);
  if (Array.isArray(value)) return value.map(visibleTexts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, visibleTexts(inner)]));
}

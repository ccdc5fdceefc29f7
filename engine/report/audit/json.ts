import { type Diagnostic, diagnosticToJson } from '../../base/diagnostic.ts';
import { replaceBigInt } from '../../base/event-json.ts';
import { type FinalState, type HostSummary, type Outcome } from '../../base/events.ts';
import { type FindingKind, findingsOf, standingOf } from './findings.ts';
import type { ResultTable } from './result-table.ts';

/** What `runbook audit --output json` writes. Members may be added; the meaning of those here changes with `version`. */
export interface AuditDocument {
  readonly kind: 'runbook-audit';
  readonly version: 1;
  readonly runId: string;
  readonly playbook: string;
  /** When it began: ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** As in docs/exit-codes.md. */
  readonly exitCode: number;
  /** Why the run stopped before its end. */
  readonly stopReason?: string;
  readonly totals: {
    readonly hosts: number;
    /** How many hosts of each standing; those that no host has are left out. */
    readonly standings: Readonly<Partial<Record<FinalState | 'unknown', number>>>;
  };
  /** Equal ones once, with their hosts. */
  readonly findings: readonly AuditFinding[];
  readonly tasks: readonly {
    readonly id: string;
    readonly name: string;
    readonly module: string;
    readonly place: string;
    readonly play: string;
    readonly isHandler: boolean;
  }[];
  readonly hosts: readonly {
    readonly host: string;
    /** The final state, or `unknown` where nothing else is to be said of it. */
    readonly standing: FinalState | 'unknown';
    readonly counts: Readonly<Record<Outcome, number>>;
    readonly failure?: HostSummary['failure'];
  }[];
  readonly warnings: readonly unknown[];
}

/** One finding of an {@link AuditDocument}. */
export interface AuditFinding {
  readonly kind: FindingKind;
  /** The task's id. */
  readonly task: string;
  readonly item?: string;
  /** What differs, with values as they are; null for what is not there. */
  readonly change?: { readonly path: string; readonly before: unknown; readonly after: unknown };
  readonly message?: string;
  readonly code?: string;
  readonly hint?: string;
  readonly hosts: readonly string[];
}

/** An audit for programs, as one JSON document. */
export function auditToJson(table: ResultTable): string {
  return `${JSON.stringify(auditDocument(table), replaceBigInt, 2)}\n`;
}

/** The document itself. */
export function auditDocument(table: ResultTable): AuditDocument {
  const { run, end, tasks } = table;
  const summary = end?.summary ?? [];
  const standings: Partial<Record<FinalState | 'unknown', number>> = {};
  for (const host of summary) standings[standingOf(host)] = (standings[standingOf(host)] ?? 0) + 1;
  return {
    kind: 'runbook-audit',
    version: 1,
    runId: run?.runId ?? '',
    playbook: run?.playbook ?? '',
    startedAt: run?.time ?? '',
    durationMs: end?.durationMs ?? 0,
    exitCode: end?.exitCode ?? 1,
    ...(end?.stopReason !== undefined && { stopReason: end.stopReason }),
    totals: { hosts: summary.length, standings },
    findings: findingsOf(table).map(({ task, change, ...finding }) => ({
      ...finding,
      task: tasks[task]?.id ?? '',
      ...(change && { change: { path: change.path, before: change.before ?? null, after: change.after ?? null } }),
    })),
    tasks: tasks.map(({ id, name, module, place, play, isHandler }) => ({ id, name, module, place, play, isHandler })),
    hosts: summary.map((host) => ({
      host: host.host,
      standing: standingOf(host),
      counts: host.counts,
      ...(host.failure && { failure: host.failure }),
    })),
    warnings: table.warnings.map((warning: Diagnostic) => diagnosticToJson(warning)),
  };
}

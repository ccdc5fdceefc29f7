import type { NodeObject } from './kube.ts';

/** Says on the Node which run holds it. A cordon without it is a human's, or another tool's. */
export const holderAnnotation = 'runbook.io/drain';

/** After so long without a renewal a holder counts as gone: its run was killed, or it has lost the cluster. */
export const staleAfterMs = 300_000;

/** How often what is held is renewed. */
export const renewEveryMs = 60_000;

/** The value of {@link holderAnnotation}. */
export interface Holder {
  readonly run: string;
  /** `ops@controller-1`. */
  readonly by?: string;
  /** ISO 8601. */
  readonly since?: string;
  readonly renewed?: string;
  /** Whether the node took pods before: then, and only then, it is uncordoned in the end. */
  readonly schedulable: boolean;
  /** The run has ended and left the node cordoned, because of this. */
  readonly kept?: string;
  /** The annotation as it stands. */
  readonly text: string;
}

/** Which run says that it holds a node. */
export function holderOf(node: NodeObject): Holder | undefined {
  const text = node.metadata?.annotations?.[holderAnnotation];
  return text === undefined ? undefined : readHolder(text);
}

/** Reads the annotation. Former versions wrote the run's id alone, and only on nodes that they had cordoned. */
export function readHolder(text: string): Holder {
  const value = parsed(text);
  if (value === undefined) return { run: text, schedulable: true, text };
  const optional = (name: string): object => (typeof value[name] === 'string' ? { [name]: value[name] } : {});
  return {
    run: String(value.run ?? ''),
    schedulable: value.schedulable !== false,
    ...optional('by'),
    ...optional('since'),
    ...optional('renewed'),
    ...optional('kept'),
    text,
  };
}

/** The annotation's text for a holder. */
export function holderText(holder: Omit<Holder, 'text'>): string {
  const { run, by, since, renewed, schedulable, kept } = holder;
  return JSON.stringify({ run, by, since, schedulable, renewed, kept });
}

/** True while a run that holds the node is at work on it. */
export function isLive(holder: Holder, now: number): boolean {
  if (holder.kept !== undefined || holder.renewed === undefined) return false;
  return now - Date.parse(holder.renewed) < staleAfterMs;
}

/** `run 20261121T051500Z-3fa9 (ops@controller-1) since 2026-11-21T05:15:04Z` */
export function describeHolder({ run, by, since }: Pick<Holder, 'run' | 'by' | 'since'>): string {
  return `run ${run}${by === undefined ? '' : ` (${by})`}${since === undefined ? '' : ` since ${since}`}`;
}

/** A time as annotations have it: ISO 8601 to the second, UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // Its fields are checked one by one.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

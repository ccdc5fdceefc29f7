import type { FinalState, HostSummary, Outcome } from '../base/events.ts';

/** How a run ended, as far as its exit code is concerned. */
export interface RunEnd {
  readonly isCheckMode: boolean;
  readonly isInterrupted: boolean;
  /** The failure budget or a health gate stopped the run before its end. */
  readonly isStopped: boolean;
  readonly summary: readonly Pick<HostSummary, 'state' | 'counts'>[];
}

/**
 * The process's exit code: 130 interrupted · 6 stopped by the failure budget before every host had its turn · 2 a host
 * failed · 4 a host was unreachable, none failed · 7 a host was rolled back, none failed or was unreachable · 3 check mode, and
 * something differs or is unknown · 0 done.
 */
export function exitCodeOf(end: RunEnd): number {
  const has = (state: FinalState): boolean => end.summary.some((host) => host.state === state);
  if (end.isInterrupted) return 130;
  if (end.isStopped) return 6;
  if (has('failed')) return 2;
  if (has('unreachable')) return 4;
  if (has('rolled-back')) return 7;
  const differs = (outcome: Outcome): boolean => end.summary.some((host) => host.counts[outcome] > 0);
  return end.isCheckMode && (differs('changed') || differs('unknown')) ? 3 : 0;
}

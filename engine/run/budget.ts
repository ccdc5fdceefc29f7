import type { BudgetView } from '../base/events.ts';
import type { Play } from '../language/playbook.ts';
import { type HostRun, hasFailed } from './host-run.ts';
import type { RunRequest } from './request.ts';

/** How many hosts may be down before a run is stopped. A limit is reached, not exceeded. */
export interface Budget {
  /** So many hosts of the run; `text` says who asks for it. */
  readonly failures?: { readonly count: number; readonly text: string };
  /** So many percent of a batch's hosts, or of all that the run has had so far. */
  readonly percentage?: { readonly percent: number; readonly text: string };
}

/** The hosts over which a budget is reckoned. */
export interface BudgetHosts {
  /** Those of all plays so far, the one in hand included. */
  readonly run: Iterable<HostRun>;
  /** Those of the batch that ended last. */
  readonly batch: readonly HostRun[];
}

/** A limit of the budget that was reached. */
export interface Reached {
  readonly down: readonly HostRun[];
  readonly of: number;
  readonly isBatch: boolean;
  readonly limit: string;
}

/** What a play and the command line say together: the lower one counts. */
export function budgetOf(
  play: Pick<Play, 'anyErrorsFatal' | 'maxFailures' | 'maxFailPercentage'>,
  request: Pick<RunRequest, 'maxFailures' | 'maxFailPercentage'>,
): Budget {
  const failures = lowest([
    [play.anyErrorsFatal ? 1 : undefined, 'any_errors_fatal'],
    [play.maxFailures, `max_failures ${play.maxFailures}`],
    [request.maxFailures, `--max-failures ${request.maxFailures}`],
  ]);
  const percentage = lowest([
    [play.maxFailPercentage, `max_fail_percentage ${play.maxFailPercentage}`],
    [request.maxFailPercentage, `--max-fail-percentage ${request.maxFailPercentage}`],
  ]);
  return {
    ...(failures && { failures: { count: failures[0], text: failures[1] } }),
    ...(percentage && { percentage: { percent: percentage[0], text: percentage[1] } }),
  };
}

function lowest(limits: readonly (readonly [number | undefined, string])[]): readonly [number, string] | undefined {
  const given = limits.flatMap(([limit, text]) => (limit === undefined ? [] : [[limit, text] as const]));
  return given.sort(([a], [b]) => a - b)[0];
}

/**
 * The limit that is reached, if one is. Down is a host that failed (a task that timed out is a failure), is unreachable or
 * was rolled back. While its rescue is under way it counts as down: nothing is started that may have to be stopped.
 */
export function reachedLimit({ failures, percentage }: Budget, { run, batch }: BudgetHosts): Reached | undefined {
  const all = [...run];
  const down = all.filter(hasFailed);
  if (down.length === 0) return undefined;
  if (failures && down.length >= failures.count) {
    return { down, of: all.length, isBatch: false, limit: failures.text };
  }
  if (!percentage) return undefined;
  const isReached = (some: readonly HostRun[], of: readonly HostRun[]): boolean =>
    some.length > 0 && some.length * 100 >= percentage.percent * of.length;
  const downInBatch = batch.filter(hasFailed);
  if (isReached(downInBatch, batch)) {
    return { down: downInBatch, of: batch.length, isBatch: true, limit: percentage.text };
  }
  return isReached(down, all) ? { down, of: all.length, isBatch: false, limit: percentage.text } : undefined;
}

/** The numbers of a stop. */
export function budgetView({ down, of, limit }: Reached, notStarted: number): BudgetView {
  return { down: down.map((host) => ({ host: host.name, state: downState(host) })), of, limit, notStarted };
}

/** `2 of 10 hosts down (web-1 failed, web-7 unreachable), max_failures 2: 6 hosts not started`. */
export function budgetReason(view: BudgetView, isBatch: boolean): string {
  const named = view.down.slice(0, 5).map(({ host, state }) => `${host} ${state.replace('-', ' ')}`);
  if (view.down.length > named.length) named.push(`${view.down.length - named.length} more`);
  const hosts = `${countOf(view.of)}${isBatch ? ' of the batch' : ''}`;
  return `${view.down.length} of ${hosts} down (${named.join(', ')}), ${view.limit}: ${restOf(view.notStarted)}`;
}

/** What a stop leaves out, in words. */
export function restOf(notStarted: number): string {
  return notStarted === 0 ? 'no further play is started' : `${countOf(notStarted)} not started`;
}

function countOf(hosts: number): string {
  return `${hosts} host${hosts === 1 ? '' : 's'}`;
}

function downState({ status, failure }: HostRun): BudgetView['down'][number]['state'] {
  if (status === 'rolled-back') return 'rolled-back';
  if (status === 'unreachable') return 'unreachable';
  return failure?.code === 'timeout' ? 'timed out' : 'failed';
}

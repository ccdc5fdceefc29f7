import { RunbookError } from '../base/errors.ts';
import type { FailureView } from '../base/events.ts';
import type { Play } from '../language/playbook.ts';
import type { RunContext } from './context.ts';
import type { HostRun } from './host-run.ts';
import { failureView } from './step-runner.ts';

/** `max_per_group`: so many hosts of a group at a time. */
export interface GroupLimit<H> {
  /** The room that is left beside some hosts. */
  roomBeside(others: Iterable<H>): Room<H>;
  /** What a host waits for when there is no room, in words. */
  reasonFor(host: H): string;
}

/** Room for hosts that are worked on at the same time. */
export interface Room<H> {
  has(host: H): boolean;
  take(host: H): void;
}

/** Makes a limit; `by` says in words what makes a group. */
export function createGroupLimit<H>(by: string, count: number, groupOf: (host: H) => string): GroupLimit<H> {
  return {
    roomBeside(others) {
      const members = new Map<string, number>();
      const inGroup = (host: H): number => members.get(groupOf(host)) ?? 0;
      const take = (host: H): void => void members.set(groupOf(host), inGroup(host) + 1);
      for (const other of others) take(other);
      return { has: (host) => inGroup(host) < count, take };
    },
    reasonFor: (host) => `at most ${count} with ${by} = ${groupOf(host)} at a time`,
  };
}

/** The limit of a play, if it has one, and the hosts whose group cannot be told: with such hosts nothing can be started. */
export function groupLimitOf(
  context: RunContext,
  play: Play,
  hosts: readonly HostRun[],
): { readonly limit?: GroupLimit<HostRun>; readonly unknown: ReadonlyMap<HostRun, FailureView> } {
  const unknown = new Map<HostRun, FailureView>();
  if (!play.maxPerGroup) return { unknown };
  const { by, count } = play.maxPerGroup;
  const groups = new Map<HostRun, string>();
  for (const host of hosts) {
    try {
      groups.set(host, textOf(by.evaluate(context.scopeOf(host, { play })), by.text));
    } catch (error) {
      unknown.set(host, failureView(error));
    }
  }
  return { limit: createGroupLimit(by.text, count, (host) => groups.get(host) ?? ''), unknown };
}

function textOf(value: unknown, by: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new RunbookError(
    'task-failed',
    `max_per_group: ${by} must be a text or a number, not ${JSON.stringify(value)}`,
  );
}

import { RunbookError } from '../base/errors.ts';
import type { FailureView } from '../base/events.ts';
import type { Play } from '../language/playbook.ts';
import type { RunContext } from './context.ts';
import type { HostRun } from './host-run.ts';
import { failureView } from './step-runner.ts';

/** `max_per_group`: so many hosts of a group at a time. */
export interface GroupLimit<H> {
  /** Whether a host can be worked on beside others. */
  hasRoom(host: H, others: Iterable<H>): boolean;
  /** What a host waits for when there is no room, in words. */
  reasonFor(host: H): string;
}

/** Makes a limit; `by` says in words what makes a group. */
export function createGroupLimit<H>(by: string, count: number, groupOf: (host: H) => string): GroupLimit<H> {
  return {
    hasRoom(host, others) {
      const group = groupOf(host);
      let members = 0;
      for (const other of others) if (groupOf(other) === group) members++;
      return members < count;
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

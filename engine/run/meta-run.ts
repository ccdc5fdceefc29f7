import type { TaskResult } from '../base/events.ts';
import type { Meta } from '../language/playbook.ts';
import { endWithoutRunning } from './across-hosts.ts';
import { type RunContext, refOf } from './context.ts';
import { CutOffError } from './cut-off.ts';
import { runHandlers } from './handlers.ts';
import type { HostRun } from './host-run.ts';
import { verdictOfError } from './judgement.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Runs handlers early, or ends something early. What is ended goes through the `always` of the blocks around and gives
 * leases back, notified handlers run as at any other end, and its hosts have not failed; but those that were rolled back
 * have, and what they notified is undone.
 */
export async function runMeta(
  context: RunContext,
  meta: Meta,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
): Promise<void> {
  const { action } = meta;
  const asking: HostRun[] = [];
  for (const host of hosts) {
    const answer = answerOf(context, meta, host, surroundings);
    if (answer === 'yes') asking.push(host);
    // The handlers tell of a flush by themselves.
    else if (action !== 'flush_handlers' || answer.outcome !== 'skipped')
      endWithoutRunning(context, refOf(context, meta), [host], false, answer);
  }
  if (action === 'flush_handlers') return runHandlers(context, asking, surroundings);
  if (asking.length === 0) return;
  if (action === 'rolled_back') return endRolledBack(context, meta, asking, surroundings);
  endWithoutRunning(context, refOf(context, meta), asking, false, { outcome: 'ok', message: messages[action] });
  const { batch, progress } = surroundings;
  if (action === 'end_play') progress.isEnded = true;
  const ended = { end_host: asking, end_batch: batch.hosts, end_play: progress.hosts }[action];
  for (const host of ended) host.hasEnded = true;
}

const messages = {
  end_host: 'ends the play for this host',
  end_batch: 'ends the play for the hosts of this batch',
  end_play: 'ends the play',
  rolled_back: 'ends the run for this host: it is as it was before',
} as const;

function endRolledBack(context: RunContext, meta: Meta, hosts: readonly HostRun[], { unwinding }: Surroundings): void {
  for (const host of hosts) {
    const before = unwinding?.get(host);
    // Some of the way back may not have been gone.
    if (before && host.leftOut > before.leftOut) {
      const message = new CutOffError(host.name).told;
      endWithoutRunning(context, refOf(context, meta), [host], false, { outcome: 'skipped', message });
      continue;
    }
    endWithoutRunning(context, refOf(context, meta), [host], false, { outcome: 'ok', message: messages.rolled_back });
    host.status = 'rolled-back';
    if (before?.failure) host.failure = before.failure;
    host.notified.clear();
  }
}

/** Whether a host asks for it, or what is told of it where it does not. */
function answerOf(
  context: RunContext,
  meta: Meta,
  host: HostRun,
  surroundings: Surroundings,
): 'yes' | Pick<TaskResult, 'outcome' | 'message' | 'failure'> {
  if (meta.when.length === 0) return 'yes';
  try {
    const scope = context.scopeOf(host, surroundings, meta);
    const unmet = meta.when.find((condition) => !condition.test(scope));
    return unmet ? { outcome: 'skipped', message: `when: ${unmet.text}` } : 'yes';
  } catch (error) {
    return verdictOfError(error, meta).result;
  }
}

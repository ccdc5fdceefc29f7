import type { Play, Task } from '../language/playbook.ts';
import { endWithoutRunning, runTask, type Surroundings } from './across-hosts.ts';
import type { RunContext } from './context.ts';
import { distrustFacts } from './facts-state.ts';
import { ensureFacts } from './gather-facts.ts';
import { type HostRun, leaveOut } from './host-run.ts';

/**
 * Runs the handlers that the hosts of a batch notified. What a failed host still has notified is told in the recap.
 */
export async function runHandlers(
  context: RunContext,
  play: Play,
  batch: readonly HostRun[],
  surroundings: Surroundings,
): Promise<void> {
  // A handler may notify one that stands before it: round again until none is left, at most once for each handler.
  for (let round = 0; round < play.handlers.length; round++) {
    if (!(await runRound(context, play, batch, surroundings))) return;
  }
}

/** Runs the handlers that were notified once, in the order of the play; false when there was none. */
async function runRound(
  context: RunContext,
  play: Play,
  batch: readonly HostRun[],
  surroundings: Surroundings,
): Promise<boolean> {
  let wasNotified = false;
  for (const handler of play.handlers) {
    const active = batch.filter((h) => h.status === 'active');
    const notified = active.filter((h) => h.notified.has(handler.name));
    predictUnknown(context, handler, active);
    if (notified.length === 0) continue;
    if (context.request.signal.aborted) {
      leaveOut(notified);
      return false;
    }
    wasNotified = true;
    // Before it runs: it may notify itself by way of others.
    for (const host of notified) host.notified.delete(handler.name);
    const able = await ensureFacts(context, handler, notified, play);
    if (able.length > 0) await runTask(context, handler, able, surroundings, true);
    for (const host of notified) if (host.status !== 'active') host.notified.add(handler.name);
  }
  return wasNotified;
}

/** In check mode: a handler that only tasks would notify of which it is unknown whether they change anything. */
function predictUnknown(context: RunContext, handler: Task, hosts: readonly HostRun[]): void {
  const unknown = hosts.filter((h) => h.perhapsNotified.delete(handler.name) && !h.notified.has(handler.name));
  for (const host of unknown) {
    host.predicted.record([]);
    distrustFacts(host, handler, true);
    for (const name of handler.notify) host.perhapsNotified.add(name);
  }
  const message = 'it runs if a task changes something of which check mode cannot tell';
  endWithoutRunning(context, handler, unknown, true, { outcome: 'unknown', message });
}

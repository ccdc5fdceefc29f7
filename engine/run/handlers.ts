import type { Outcome } from '../base/events.ts';
import type { Play, Task } from '../language/playbook.ts';
import { endWithoutRunning, runTask } from './across-hosts.ts';
import { type RunContext, refOf } from './context.ts';
import { distrustFacts } from './facts/state.ts';
import { ensureFacts } from './gather-facts.ts';
import { asActive, type HostRun, leaveOut } from './host-run.ts';
import { taskKeyOf } from './journal/task-key.ts';
import type { Surroundings } from './surroundings.ts';

/** The handlers that a name means: the one that is called so, and those that listen to it as a topic. */
function handlersNamed(play: Play, name: string): readonly Task[] {
  return play.handlers.filter((handler) => handler.name === name || handler.listen.includes(name));
}

/** Notes which handlers a task notifies on a host that ended in this way, and gives them. */
export function notifyHandlers(
  play: Play,
  task: Task,
  host: HostRun,
  end: { readonly outcome: Outcome; readonly hasChangedItem: boolean },
): readonly Task[] {
  const isNotified = end.outcome === 'changed' || end.hasChangedItem;
  if (!isNotified && end.outcome !== 'unknown') return [];
  const notified = isNotified ? host.notified : host.perhapsNotified;
  const handlers = task.notify.flatMap((name) => handlersNamed(play, name));
  for (const handler of handlers) notified.add(handler);
  return handlers;
}

/** Replays the handlers that a former process ran out of their turn, before it came to the task of this key. */
export async function replayHandled(
  context: RunContext,
  host: HostRun,
  surroundings: Surroundings,
  key: string,
): Promise<void> {
  const { turn: _inside, ...outside } = surroundings;
  for (const handled of host.record.handledBefore(key)) {
    const handler = outside.play.handlers.find((one) => taskKeyOf(one) === handled && host.notified.has(one));
    if (!handler) {
      // What nobody notifies any more is not to stand for a later time.
      host.record.next(handled);
      continue;
    }
    const ranFor = handler.runOnce ? outside.batch.hosts.filter(({ record }) => !record.isLive) : [host];
    for (const one of ranFor) one.notified.delete(handler);
    await runTask(context, handler, [host], outside, true);
    if (host.status !== 'active') host.notified.add(handler);
  }
}

/**
 * Runs the handlers at the end of a batch, with `force_handlers` on hosts that failed or are unreachable, too. What such a
 * host still has notified is told in the recap.
 */
export async function runLastHandlers(
  context: RunContext,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
): Promise<void> {
  const isForced = ({ status }: HostRun): boolean =>
    surroundings.play.forceHandlers && (status === 'failed' || status === 'unreachable');
  await asActive(
    hosts.filter((host) => host.status === 'active' || isForced(host)),
    () => runHandlers(context, hosts, surroundings),
  );
}

/** Runs the handlers that hosts notified so far. */
export async function runHandlers(
  context: RunContext,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
): Promise<void> {
  const leftOut: LeftOut = [];
  // A handler may notify one that stands before it: round again until none is left, at most once for each handler.
  for (let round = 0; round < surroundings.play.handlers.length; round++) {
    if (!(await runRound(context, hosts, surroundings, leftOut))) break;
  }
  for (const [host, handler] of leftOut) host.notified.add(handler);
}

/** Handlers that were not run because their hosts are cut off: they stay notified. */
type LeftOut = (readonly [HostRun, Task])[];

/** Runs the handlers that were notified once, in the order of the play; false when there was none. */
async function runRound(
  context: RunContext,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
  leftOut: LeftOut,
): Promise<boolean> {
  let wasNotified = false;
  for (const handler of surroundings.play.handlers) {
    const active = hosts.filter((h) => h.status === 'active');
    const notified = active.filter((h) => h.notified.has(handler));
    predictUnknown(context, handler, active, surroundings.play);
    if (notified.length === 0) continue;
    if (context.request.signal.aborted) {
      leaveOut(notified);
      return false;
    }
    wasNotified = true;
    // Before it runs: it may notify itself by way of others.
    for (const host of notified) host.notified.delete(handler);
    const before = new Map(notified.map((host) => [host, host.leftOut]));
    const able = await ensureFacts(context, handler, notified, surroundings);
    if (able.length > 0) await runTask(context, handler, able, surroundings, true);
    for (const host of notified) {
      if (host.status !== 'active') host.notified.add(handler);
      else if (host.leftOut !== before.get(host)) leftOut.push([host, handler]);
    }
  }
  return wasNotified;
}

/** In check mode: a handler that only tasks would notify of which it is unknown whether they change anything. */
function predictUnknown(context: RunContext, handler: Task, hosts: readonly HostRun[], play: Play): void {
  const unknown = hosts.filter((h) => h.perhapsNotified.delete(handler) && !h.notified.has(handler));
  for (const host of unknown) {
    host.predicted.recordAnything(`the handler "${handler.name}"`);
    distrustFacts(host, handler, true);
    notifyHandlers(play, handler, host, { outcome: 'unknown', hasChangedItem: false });
  }
  const message = 'it runs if a task changes something of which check mode cannot tell';
  endWithoutRunning(context, refOf(context, handler), unknown, true, { outcome: 'unknown', message });
}

import { RunbookError } from '../base/errors.ts';
import type { Outcome, TaskRef, TaskResult } from '../base/events.ts';
import { formatRange } from '../base/source.ts';
import { createTelling } from '../base/telling.ts';
import type { Facts } from '../language/facts-schema.ts';
import type { Node, Play } from '../language/playbook.ts';
import type { ProbeOutput } from '../module/contract.ts';
import { endWithoutRunning } from './across-hosts.ts';
import { connectionFor } from './addressing.ts';
import { askAhead, type Question } from './ahead/ask.ts';
import { type Coming, tasksAfter } from './ahead/coming.ts';
import { askingAhead } from './ahead/questions.ts';
import { type RunContext, refOf } from './context.ts';
import { CutOffError, noteReach } from './cut-off.ts';
import { factsQuestion, gathererFor } from './facts/question.ts';
import { factsProbe } from './facts.ts';
import { type HostRun, leaveOut, recordOutcome } from './host-run.ts';
import { playKeyOf } from './journal/task-key.ts';
import { outcomeOf } from './judgement.ts';
import { failureView } from './step-runner.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Gathers the facts that a node is about to read, on those hosts where they are not known or hold no more. Gives the
 * hosts that can go on. A play that says `gather_facts: false` is taken at its word.
 */
export async function ensureFacts(
  context: RunContext,
  node: Node,
  hosts: readonly HostRun[],
  { play, coming }: Pick<Surroundings, 'play' | 'coming'>,
): Promise<readonly HostRun[]> {
  if (play.gatherFacts === false) return hosts;
  const names = await context.factReaders.of(node, play);
  const lacking = names.size === 0 ? [] : hosts.filter((host) => host.facts.lacks(names));
  if (lacking.length === 0) return hosts;
  const cutOff = lacking.filter((host) => host.isCutOff);
  leaveOutOf(context, node, cutOff);
  await gatherFacts(
    context,
    play,
    lacking.filter((host) => !host.isCutOff),
    { nodes: [node], at: -1, turn: coming?.turn, then: coming },
  );
  return hosts.filter((host) => host.status === 'active' && !cutOff.includes(host));
}

/** A node that reads facts which nobody can gather is not run. */
function leaveOutOf(context: RunContext, node: Node, hosts: readonly HostRun[]): void {
  for (const host of hosts) {
    host.leftOut++;
    const message = new CutOffError(host.name).told;
    endWithoutRunning(context, refOfNode(context, node), [host], false, { outcome: 'skipped', message });
  }
}

function refOfNode(context: RunContext, node: Node): TaskRef {
  if (node.kind !== 'block') return refOf(context, node);
  return { id: node.id, name: node.name, module: 'block', place: formatRange(node.range) };
}

/** Gathers the facts of hosts, as a task of its own, and asks with it what comes. */
export async function gatherFacts(
  context: RunContext,
  play: Play,
  hosts: readonly HostRun[],
  coming: Coming,
): Promise<void> {
  const task: TaskRef = {
    id: `${play.id}/facts`,
    name: 'Gather facts',
    module: 'facts',
    place: formatRange(play.range),
  };
  const key = playKeyOf('facts', play);
  const active = hosts.filter((host) => host.status === 'active' && !replayFacts(host, key));
  if (active.length === 0) return;
  context.bus.emit({ type: 'task-started', task, hosts: active.map((host) => host.name), isHandler: false });
  await Promise.all(active.map((host) => context.limit(() => gather(context, play, host, { task, coming }))));
}

/** Takes what a former process of the run gathered: what its tasks decided by it they decide again. */
function replayFacts(host: HostRun, key: string): boolean {
  const end = host.record.peek(key);
  if (!end?.gathered) return false;
  host.record.next(key);
  // What `gather` wrote.
  host.facts.accept(end.gathered as Facts);
  recordOutcome(host, 'Gather facts', end.result);
  return true;
}

async function gather(
  context: RunContext,
  play: Play,
  host: HostRun,
  { task, coming }: { readonly task: TaskRef; readonly coming: Coming },
): Promise<void> {
  const { bus, clock, request } = context;
  if (request.signal.aborted) return leaveOut([host]);
  const started = clock.now();
  bus.emit({ type: 'host-task-started', task, host: host.name });
  let outcome: Outcome = 'ok';
  let failure: TaskResult['failure'];
  try {
    const telling = createTelling(clock, (wait) =>
      bus.emit({ type: 'host-task-progress', task, host: host.name, ...wait }),
    );
    const connection = await telling({ text: 'connecting' }, (onWait) =>
      connectionFor(context, host, play, { onWait }),
    );
    const [first] = tasksAfter(coming, () => []);
    const ahead = askingAhead(context, host, play, (open) => tasksAfter(coming, open));
    const ask = (question: Question): Promise<ProbeOutput> => {
      const { script, become, timeoutMs } = question;
      const options = { timeoutMs, signal: request.abort, become };
      const wait = { text: 'waiting for its facts', deadlineMs: clock.now() + timeoutMs };
      return telling<ProbeOutput>(wait, () =>
        ahead ? askAhead(connection, question, options, ahead) : connection.run(script, options),
      );
    };
    const become = gathererFor(context, host, play, first?.task);
    const answer = ask(factsQuestion(become)).catch((error) => {
      // The task may be skipped by what the facts say. A password that was refused is not tried again.
      if (!isRefused(error) || become?.password) throw error;
      return ask(factsQuestion(undefined));
    });
    const gathered = factsProbe.parse(await answer);
    const end = { result: { outcome, changes: [] }, registered: {}, gathered };
    host.record.ended(playKeyOf('facts', play), end, { of: 'facts' });
    host.facts.accept(gathered);
  } catch (error) {
    failure = failureView(error);
    outcome = outcomeOf(failure);
    noteReach(host, outcome, false);
  }
  recordOutcome(host, task.name, { outcome, ...(failure && { failure }) });
  bus.emit({
    type: 'host-task-ended',
    task,
    host: host.name,
    outcome,
    durationMs: clock.now() - started,
    changes: [],
    ...(failure && { failure }),
  });
}

function isRefused(error: unknown): boolean {
  return error instanceof RunbookError && error.code === 'become-failed';
}

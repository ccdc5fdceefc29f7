import type { Outcome, TaskRef, TaskResult } from '../base/events.ts';
import { formatRange } from '../base/source.ts';
import type { Play } from '../language/playbook.ts';
import { connectionFor } from './addressing.ts';
import type { RunContext } from './context.ts';
import { factsProbe } from './facts.ts';
import { type HostRun, leaveOut, recordOutcome } from './host-run.ts';
import { outcomeOf } from './judgement.ts';
import { failureView } from './step-runner.ts';

/** Gathers the facts of the hosts of which there are none yet, as a task of its own. */
export async function gatherFacts(context: RunContext, play: Play, hosts: readonly HostRun[]): Promise<void> {
  const ref: TaskRef = {
    id: `${play.id}/facts`,
    name: 'Gather facts',
    module: 'facts',
    place: formatRange(play.range),
  };
  const missing = hosts.filter((h) => h.data.facts === undefined && h.status === 'active');
  if (missing.length === 0) return;
  context.bus.emit({ type: 'task-started', task: ref, hosts: missing.map((h) => h.name), isHandler: false });
  const gather = async (host: HostRun): Promise<void> => {
    if (context.request.signal.aborted) return leaveOut([host]);
    const started = context.clock.now();
    context.bus.emit({ type: 'host-task-started', task: ref, host: host.name });
    let outcome: Outcome = 'ok';
    let failure: TaskResult['failure'];
    try {
      const connection = await connectionFor(context, host, play);
      const { script, parse } = factsProbe;
      host.data.facts = parse(await connection.run(script, { timeoutMs: 60_000, signal: context.request.abort }));
    } catch (error) {
      failure = failureView(error);
      outcome = outcomeOf(failure);
    }
    recordOutcome(host, ref.name, { outcome, ...(failure && { failure }) });
    const durationMs = context.clock.now() - started;
    context.bus.emit({
      type: 'host-task-ended',
      task: ref,
      host: host.name,
      outcome,
      durationMs,
      changes: [],
      ...(failure && { failure }),
    });
  };
  await Promise.all(missing.map((host) => context.limit(() => gather(host))));
}

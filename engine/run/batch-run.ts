import type { Node } from '../language/playbook.ts';
import type { RunContext } from './context.ts';
import { gatherFacts } from './gather-facts.ts';
import { runLastHandlers } from './handlers.ts';
import type { HostRun } from './host-run.ts';
import { checkPlayInputs } from './inputs-check.ts';
import { runNodes } from './node-run.ts';
import { createOnceResults } from './once.ts';
import { type PlayProgress, type Surroundings, takingPart } from './surroundings.ts';

/**
 * Takes hosts through a play: facts, inputs, tasks, handlers. With the strategy `linear` they go together, task by task;
 * with `free` each goes on its own, handlers included.
 */
export async function runBatch(
  context: RunContext,
  nodes: readonly Node[],
  hosts: readonly HostRun[],
  progress: PlayProgress,
): Promise<void> {
  const { play } = progress;
  const surroundings = createSurroundings(progress, hosts);
  for (const host of hosts) host.hasStarted = true;
  const companies = play.strategy === 'free' ? hosts.map((host) => [host]) : [hosts];
  await Promise.all(companies.map((company) => runCompany(context, nodes, company, surroundings)));
}

/** What is around the tasks of a play that some hosts run together. */
export function createSurroundings(progress: PlayProgress, hosts: readonly HostRun[]): Surroundings {
  const batch = { hosts, once: createOnceResults() };
  return { play: progress.play, progress, batch, leases: [], isCleanUp: false };
}

async function runCompany(
  context: RunContext,
  nodes: readonly Node[],
  hosts: readonly HostRun[],
  surroundings: Surroundings,
): Promise<void> {
  const { play } = surroundings;
  if (play.gatherFacts === true) {
    await gatherFacts(context, play, hosts, { nodes, at: -1, turn: undefined, then: undefined });
  }
  checkPlayInputs(context, takingPart(hosts, surroundings), surroundings);
  await runNodes(context, nodes, hosts, surroundings);
  await runLastHandlers(context, hosts, surroundings);
}

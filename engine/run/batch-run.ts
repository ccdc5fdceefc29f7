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
  const batch = { hosts, once: createOnceResults() };
  const surroundings: Surroundings = { play, progress, batch, leases: [], isCleanUp: false };
  for (const host of hosts) host.hasStarted = true;
  const companies = play.strategy === 'free' ? hosts.map((host) => [host]) : [hosts];
  await Promise.all(companies.map((company) => runCompany(context, nodes, company, surroundings)));
}

async function runCompany(
  context: RunContext,
  nodes: readonly Node[],
  hosts: readonly HostRun[],
  surroundings: Surroundings,
): Promise<void> {
  const { play } = surroundings;
  if (play.gatherFacts === true) await gatherFacts(context, play, hosts);
  checkPlayInputs(context, takingPart(hosts, surroundings), surroundings);
  await runNodes(context, nodes, hosts, surroundings);
  await runLastHandlers(context, hosts, surroundings);
}

import type { Block, Node } from '../language/playbook.ts';
import { runTask } from './across-hosts.ts';
import type { RunContext } from './context.ts';
import { ensureFacts } from './gather-facts.ts';
import { asActive, type HostRun, hasFailed, leaveOut, restore, type Standing, standingOf } from './host-run.ts';
import { runInclude } from './include-run.ts';
import { checkRoleInputs } from './inputs-check.ts';
import type { BlockMoment } from './journal/record.ts';
import { settleLease } from './lease-end.ts';
import { createLeaseHold } from './lease-hold.ts';
import { runMeta } from './meta-run.ts';
import { type Surroundings, takingPart } from './surroundings.ts';

/** Runs nodes in order across hosts; each host's status says afterwards whether it is still in. */
export async function runNodes(
  context: RunContext,
  nodes: readonly Node[],
  hosts: readonly HostRun[],
  surroundings: Surroundings,
): Promise<void> {
  for (const [at, node] of nodes.entries()) {
    const active = takingPart(hosts, surroundings);
    if (active.length === 0) return;
    if (context.request.signal.aborted) {
      return leaveOut(active);
    }
    const inside = { ...surroundings, coming: { nodes, at, turn: surroundings.turn, then: surroundings.coming } };
    const able = await ensureFacts(context, node, active, inside);
    if (able.length > 0) await runNode(context, node, able, inside);
  }
}

function runNode(
  context: RunContext,
  node: Node,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
): Promise<void> {
  switch (node.kind) {
    case 'task':
      return runTask(context, node, hosts, surroundings, false);
    case 'block':
      return runBlock(context, node, hosts, surroundings);
    case 'include':
      return runInclude(context, node, hosts, surroundings, (...what) => runNodes(context, ...what));
    case 'meta':
      return runMeta(context, node, hosts, surroundings);
  }
}

async function runBlock(
  context: RunContext,
  block: Block,
  hosts: readonly HostRun[],
  outer: Surroundings,
): Promise<void> {
  await using hold = block.lease && createLeaseHold(block.lease, outer);
  const inner = hold ? { ...outer, leases: [...outer.leases, hold] } : outer;
  const note = (moment: BlockMoment, of: readonly HostRun[] = hosts): void => {
    for (const { record } of of) record.block(moment);
  };
  note({ at: 'body', hasRescue: block.rescue.length > 0 });
  if (block.role) checkRoleInputs(context, block, block.role, hosts, outer);
  await runNodes(context, block.body, hosts, inner);
  // Where a lease around it was refused nothing was done in it, so there is nothing to rescue.
  const isRefused = (h: HostRun): boolean => inner.leases.some((lease) => lease.of(h.name).state === 'refused');
  const failed = hosts.filter((h) => isDown(h) && !isRefused(h));
  let cutShort: readonly HostRun[] = [];
  if (block.rescue.length > 0 && failed.length > 0) {
    note({ at: 'rescue' }, failed);
    cutShort = await rescue(context, block, failed, inner);
  }
  if (block.always.length > 0) {
    note({ at: 'always' });
    await runAlways(context, block, hosts, inner);
  }
  if (context.request.abort.aborted) await cleanUp(context, block, hosts, inner);
  if (hold) await settleLease(context, hold, hosts);
  for (const host of hosts) {
    note({ at: 'end', status: cutShort.includes(host) ? 'interrupted' : host.status }, [host]);
  }
}

/**
 * After the second Ctrl-C what stands in `rescue` and `always` is run as far as it needs only the controller or another
 * host. Whoever resumes the run does all of it again.
 */
async function cleanUp(
  context: RunContext,
  block: Block,
  hosts: readonly HostRun[],
  inner: Surroundings,
): Promise<void> {
  const stopped = hosts.filter((host) => host.status !== 'active' && host.status !== 'rolled-back');
  const { signal } = new AbortController();
  const calm = { ...context, request: { ...context.request, signal, abort: signal } };
  const run = (nodes: Block['body'], on: readonly HostRun[]): Promise<void> =>
    asActive(on, () => runNodes(calm, nodes, on, { ...inner, isCleanUp: true }));
  const reachable = stopped.filter((host) => !host.isCutOff);
  for (const host of reachable) Object.assign(host, { isCutOff: true, cutOffBecause: 'the run was interrupted' });
  await run(
    block.rescue,
    stopped.filter((host) => host.isAborted || isDown(host)),
  );
  await run(block.always, stopped);
  // Leases are given back on the host itself, too.
  for (const host of reachable) host.isCutOff = false;
}

/** Gives the hosts on which it was interrupted. */
async function rescue(
  context: RunContext,
  block: Block,
  failed: readonly HostRun[],
  inner: Surroundings,
): Promise<readonly HostRun[]> {
  for (const host of failed) {
    host.data.failed_task = { name: host.failure?.task ?? '' };
    host.data.failed_result = { message: host.failure?.message ?? '', code: host.failure?.code ?? '' };
  }
  const before = new Map(failed.map((host) => [host, standingOf(host)]));
  for (const host of failed) host.status = 'active';
  await runNodes(context, block.rescue, failed, { ...inner, unwinding: before });
  const cutShort = failed.filter((host) => host.status === 'interrupted');
  for (const [host, was] of before) settleRescue(host, was, inner.unwinding?.get(host));
  return cutShort;
}

/** What a rescue came to on a host that stood so before; `outer` is how it stood before a rescue or `always` around. */
function settleRescue(host: HostRun, was: Standing, outer: Standing | undefined): void {
  if (host.status === 'rolled-back') return;
  // A rescue that did not run, or not to its end, rescued nothing.
  if (host.status === 'interrupted') host.status = was.status;
  // Nor did one of which tasks were left out; and what failed in it on the controller says less than why it was run.
  else if (host.status === 'active' ? host.leftOut > was.leftOut : host.isCutOff && was.status === 'unreachable')
    restore(host, was);
  if (host.status !== 'active') return;
  // The next task that needs the host connects anew.
  host.isCutOff = false;
  if (was.status === 'failed' || was.status === 'unreachable') host.counts[was.status]--;
  host.counts.rescued++;
  restore(host, { ...outer, status: 'active', leftOut: host.leftOut });
}

/** `always` runs on every host that entered the block; what failed before stays failed after it. */
async function runAlways(
  context: RunContext,
  block: Block,
  hosts: readonly HostRun[],
  inner: Surroundings,
): Promise<void> {
  const entered = hosts.filter((h) => h.status !== 'interrupted');
  const failed = entered.filter(hasFailed).map((host) => [host, standingOf(host)] as const);
  const unwinding = new Map([...(inner.unwinding ?? []), ...failed]);
  await asActive(entered, () => runNodes(context, block.always, entered, { ...inner, unwinding, isCleanUp: true }));
}

function isDown(host: HostRun): boolean {
  return host.status === 'failed' || host.status === 'unreachable';
}

import type { Block, Node } from '../language/playbook.ts';
import { runTask } from './across-hosts.ts';
import { type RunContext, refOf } from './context.ts';
import { ensureFacts } from './gather-facts.ts';
import { asActive, type HostRun, leaveOut } from './host-run.ts';
import { runInclude } from './include-run.ts';
import { checkRoleInputs } from './inputs-check.ts';
import { createLeaseHold, type LeaseHold, releaseDecision } from './lease-hold.ts';
import { releaseLease } from './lease-run.ts';
import { runMeta } from './meta-run.ts';
import { shown } from './no-log.ts';
import { type Surroundings, takingPart } from './surroundings.ts';

/** Runs nodes in order across hosts; each host's status says afterwards whether it is still in. */
export async function runNodes(
  context: RunContext,
  nodes: readonly Node[],
  hosts: readonly HostRun[],
  surroundings: Surroundings,
): Promise<void> {
  for (const node of nodes) {
    const active = takingPart(hosts, surroundings);
    if (active.length === 0) return;
    if (context.request.signal.aborted) {
      return leaveOut(active);
    }
    const able = await ensureFacts(context, node, active, surroundings.play);
    if (able.length > 0) await runNode(context, node, able, surroundings);
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
  const hold = block.lease && createLeaseHold(block.lease, outer);
  const inner = hold ? { ...outer, leases: [...outer.leases, hold] } : outer;
  if (block.role) checkRoleInputs(context, block, block.role, hosts, outer);
  await runNodes(context, block.body, hosts, inner);
  // Where a lease around it was refused nothing was done in it, so there is nothing to rescue.
  const isRefused = (h: HostRun): boolean => inner.leases.some((lease) => lease.of(h.name).state === 'refused');
  const failed = hosts.filter((h) => isDown(h) && !isRefused(h));
  if (block.rescue.length > 0 && failed.length > 0) await rescue(context, block, failed, inner);
  if (block.always.length > 0) await runAlways(context, block, hosts, inner);
  if (hold) await settleLease(context, hold, hosts);
}

async function rescue(
  context: RunContext,
  block: Block,
  failed: readonly HostRun[],
  inner: Surroundings,
): Promise<void> {
  for (const host of failed) {
    host.data.failed_task = { name: host.failure?.task ?? '' };
    host.data.failed_result = { message: host.failure?.message ?? '', code: host.failure?.code ?? '' };
  }
  const before = new Map(failed.map((h) => [h, { status: h.status, failure: h.failure }]));
  for (const host of failed) host.status = 'active';
  await runNodes(context, block.rescue, failed, inner);
  for (const host of failed) {
    const was = before.get(host)?.status;
    if (was !== 'failed' && was !== 'unreachable') continue;
    // A rescue that did not run, or not to its end, rescued nothing.
    if (host.status === 'interrupted') host.status = was;
    if (host.status !== 'active') continue;
    host.counts[was]--;
    host.counts.rescued++;
    delete host.failure;
  }
}

/** `always` runs on every host that entered the block; what failed before stays failed after it. */
async function runAlways(
  context: RunContext,
  block: Block,
  hosts: readonly HostRun[],
  inner: Surroundings,
): Promise<void> {
  const entered = hosts.filter((h) => h.status !== 'interrupted');
  await asActive(entered, () => runNodes(context, block.always, entered, { ...inner, isCleanUp: true }));
}

async function settleLease(context: RunContext, hold: LeaseHold, hosts: readonly HostRun[]): Promise<void> {
  const settle = async (host: HostRun): Promise<void> => {
    const held = hold.of(host.name);
    if (held.state !== 'held') return;
    const end = host.status === 'active' ? 'succeeded' : host.status === 'interrupted' ? 'interrupted' : 'failed';
    const decision = releaseDecision(hold.clause, held, end);
    if (decision.release) return releaseLease(context, hold, host);
    host.keptLeases.push({ task: hold.clause.task.name, reason: decision.reason });
    context.bus.emit({
      type: 'lease-kept',
      task: refOf(context, hold.clause.task),
      host: host.name,
      grant: shown(hold.clause.task, held.grant),
      reason: decision.reason,
    });
  };
  await Promise.all(hosts.map(settle));
}

function isDown(host: HostRun): boolean {
  return host.status === 'failed' || host.status === 'unreachable';
}

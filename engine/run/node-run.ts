import type { Block, Node, Play } from '../language/playbook.ts';
import { runTask, type Surroundings } from './across-hosts.ts';
import { type RunContext, refOf } from './context.ts';
import { ensureFacts } from './gather-facts.ts';
import { type HostRun, leaveOut } from './host-run.ts';
import { createLeaseHold, type LeaseHold, releaseDecision } from './lease-hold.ts';
import { releaseLease } from './lease-run.ts';
import { shown } from './no-log.ts';

/** Runs nodes in order across hosts; each host's status says afterwards whether it is still in. */
export async function runNodes(
  context: RunContext,
  nodes: readonly Node[],
  hosts: readonly HostRun[],
  surroundings: Surroundings,
): Promise<void> {
  for (const node of nodes) {
    const active = hosts.filter((h) => h.status === 'active');
    if (active.length === 0) return;
    if (context.request.signal.aborted) {
      return leaveOut(active);
    }
    const able = await ensureFacts(context, node, active, surroundings.play);
    if (able.length === 0) return;
    if (node.kind === 'task') await runTask(context, node, able, surroundings, false);
    else if (node.kind === 'block') await runBlock(context, node, able, surroundings);
  }
}

async function runBlock(
  context: RunContext,
  block: Block,
  hosts: readonly HostRun[],
  outer: Surroundings,
): Promise<void> {
  const hold = block.lease && createLeaseHold(block.lease);
  const inner = hold ? { ...outer, leases: [...outer.leases, hold] } : outer;
  await runNodes(context, block.body, hosts, inner);
  // Where a lease around it was refused nothing was done in it, so there is nothing to rescue.
  const isRefused = (h: HostRun): boolean => inner.leases.some((lease) => lease.of(h.name).state === 'refused');
  const failed = hosts.filter((h) => isDown(h) && !isRefused(h));
  if (block.rescue.length > 0 && failed.length > 0) await rescue(context, block, failed, inner);
  if (block.always.length > 0) await runAlways(context, block, hosts, inner);
  if (hold) await settleLease(context, hold, hosts, outer.play);
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
  const before = new Map(hosts.map((h) => [h, { status: h.status, failure: h.failure }]));
  const entered = hosts.filter((h) => h.status !== 'interrupted');
  for (const host of entered) host.status = 'active';
  await runNodes(context, block.always, entered, inner);
  for (const [host, { status, failure }] of before) {
    if (status === 'active') continue;
    host.status = status;
    if (failure) host.failure = failure;
  }
}

async function settleLease(context: RunContext, hold: LeaseHold, hosts: readonly HostRun[], play: Play): Promise<void> {
  const settle = async (host: HostRun): Promise<void> => {
    const held = hold.of(host.name);
    if (held.state !== 'held') return;
    const end = host.status === 'active' ? 'succeeded' : host.status === 'interrupted' ? 'interrupted' : 'failed';
    const decision = releaseDecision(hold.clause, held, end);
    if (decision.release) return releaseLease(context, hold, host, play);
    host.keptLeases.push({ task: hold.clause.task.name, reason: decision.reason });
    context.bus.emit({
      type: 'lease-kept',
      task: refOf(hold.clause.task),
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

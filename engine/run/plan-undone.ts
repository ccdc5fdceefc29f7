import { endWithoutRunning } from './across-hosts.ts';
import type { RunContext } from './context.ts';
import type { HostRun } from './host-run.ts';
import type { PlanUse } from './plan-use.ts';

/** Hosts that came to their end without all that was planned for them have failed: the plan was not done. */
export function failUndone(context: RunContext, plan: PlanUse, hosts: readonly HostRun[]): void {
  const atEnd = hosts.filter((host) => host.status === 'active');
  const ref = { id: 'plan', name: 'The plan was done', module: 'plan', place: plan.place };
  for (const [name, tasks] of plan.undone(atEnd.map((host) => host.name))) {
    const host = atEnd.find((one) => one.name === name);
    if (!host) continue;
    host.hasStarted = true;
    const message = `planned, and not come to: ${tasks.join(', ')}`;
    const hint = 'see what has changed on the host since, and plan again';
    const failure = { code: 'state-moved', message, hint };
    endWithoutRunning(context, ref, [host], false, { outcome: 'failed', failure });
  }
}

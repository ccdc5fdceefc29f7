import { RunbookError } from '../base/errors.ts';
import type { Outcome } from '../base/events.ts';
import type { HostRun } from './host-run.ts';

/**
 * A host that was found out of reach is cut off: its rescue and `always` run, and what in them needs the host itself is
 * not tried again. What needs only the controller or another host runs.
 */
export class CutOffError extends RunbookError {
  constructor(host: string, why = `${host} is unreachable`) {
    super('unreachable', why);
  }

  /** What is told of a task that was not run for it. */
  get told(): string {
    return `not run: ${this.message}`;
  }
}

/** Raises a CutOffError for a host that is cut off: asked before it is connected to. */
export function refuseIfCutOff(host: Pick<HostRun, 'name' | 'isCutOff' | 'cutOffBecause'>): void {
  if (host.isCutOff) throw new CutOffError(host.name, host.cutOffBecause);
}

/** Notes how a task ended that ran on its own host. Where it is delegated to, another host is out of reach. */
export function noteReach(host: HostRun, outcome: Outcome, isDelegated: boolean): void {
  if (outcome === 'unreachable' && !isDelegated) host.isCutOff = true;
}

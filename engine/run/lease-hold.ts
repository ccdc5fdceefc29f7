import type { LeaseClause } from '../language/playbook.ts';
import { taskKeyOf } from './journal/task-key.ts';
import type { Renewal } from './lease-renewal.ts';
import type { Place } from './surroundings.ts';

/** What one block's lease is to one host. */
export interface HostHold {
  /** `predicted`: check mode would have taken it. `lost`: another holder has it now. */
  state: 'not-taken' | 'held' | 'lost' | 'predicted' | 'not-needed' | 'refused';
  /** What the lease module's `release` needs. */
  grant: unknown;
  /** The arguments that it was taken with: they must not change with variables that the block sets. */
  args: unknown;
  /** An effect was run under it. */
  hasEffects: boolean;
  /** Why it was lost. */
  lostBecause: string;
  /** What keeps it while it is held. */
  renewal?: Renewal;
}

/** A block's lease during a run, host by host. */
export interface LeaseHold {
  readonly clause: LeaseClause;
  /** Where its block stands: what its arguments are rendered with. */
  readonly place: Place;
  /** Its name in the record of the run. */
  readonly key: string;
  of(host: string): HostHold;
  /** Ends every renewal. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A lease that nobody holds yet. */
export function createLeaseHold(clause: LeaseClause, place: Place): LeaseHold {
  const holds = new Map<string, HostHold>();
  return {
    clause,
    place,
    key: taskKeyOf(clause.task, place.turn),
    of(host) {
      const hold = holds.get(host) ?? createHostHold();
      holds.set(host, hold);
      return hold;
    },
    async [Symbol.asyncDispose]() {
      const renewals = [...holds.values()].flatMap(({ renewal }) => renewal ?? []);
      await Promise.all(renewals.map((renewal) => renewal.stop()));
    },
  };
}

function createHostHold(): HostHold {
  return { state: 'not-taken', grant: undefined, args: undefined, hasEffects: false, lostBecause: '' };
}

/**
 * Whether a lease is given back, and if not, why it is kept. On success it always is. On failure or interruption, unless
 * `on_failure` says otherwise, it is kept when something under it changed the host: a half-changed node stays out of service.
 */
export function releaseDecision(
  clause: LeaseClause,
  hold: Pick<HostHold, 'hasEffects'>,
  end: 'succeeded' | 'failed' | 'interrupted',
): { release: true } | { release: false; reason: string } {
  if (end === 'succeeded' || clause.onFailure === 'release') return { release: true };
  const what = end === 'failed' ? 'the block failed' : 'the run was interrupted';
  if (clause.onFailure === 'keep') return { release: false, reason: `${what}, and on_failure says keep` };
  if (hold.hasEffects) return { release: false, reason: `${what} after the host was changed` };
  return { release: true };
}

import type { Outcome } from '../base/events.ts';
import type { Fingerprint } from './fingerprint.ts';

/** The format of plan files that this engine writes, and the only one that it reads. */
export const planFormat = 1;

/** What would be done where: a plan as its file holds it, without any secret. */
export interface Plan {
  readonly format: typeof planFormat;
  readonly made: { readonly at: string; readonly by: string; readonly run: string };
  readonly playbook: string;
  readonly options: PlanOptions;
  /** Handlers, too; those that a task notifies whose outcome is unknown have that outcome themselves. */
  readonly hosts: Readonly<Record<string, PlannedHost>>;
  readonly fingerprint: Fingerprint;
}

/** What was asked for when the plan was made. Paths are as they were given. */
export interface PlanOptions {
  readonly inventory: readonly string[];
  readonly limit?: string;
  readonly tags: readonly string[];
  readonly skip_tags: readonly string[];
  readonly modules: readonly string[];
  /** The variables of the command line that may be shown. */
  readonly extra_vars: Readonly<Record<string, unknown>>;
  /** Those that may not: they are to be given once more. */
  readonly secret_vars: readonly string[];
  readonly max_failures?: number;
  readonly max_fail_percentage?: number;
  readonly host_key_checking?: 'strict' | 'accept-new' | 'off';
  readonly connection: {
    readonly user?: string;
    readonly private_key?: string;
    readonly become?: boolean;
    readonly become_user?: string;
    readonly timeout_seconds?: number;
  };
}

/** A host in a plan. */
export interface PlannedHost {
  /** Hosts that could not be planned to their end are left out when the plan is applied. */
  readonly state: 'ok' | 'changes' | 'failed' | 'unreachable' | 'not-started';
  /** In the order in which the host comes to them. */
  readonly tasks: readonly PlannedTask[];
}

/** What a task, or a turn of its loop, would do on a host. */
export interface PlannedPart {
  /** As check mode says it: what is `changed` would be. */
  readonly outcome: Outcome;
  /** Why it is skipped, unknown or failed. */
  readonly why?: string;
  readonly changes?: readonly PlannedChange[];
  /**
   * What was found to be pending, as digests: resource, path, before and after of each difference. Absent where nothing is
   * compared: an action, a task that is skipped.
   */
  readonly pending?: readonly string[];
}

/** A task on a host. */
export interface PlannedTask extends PlannedPart {
  readonly name: string;
  readonly module: string;
  readonly place: string;
  readonly delegated_to?: string;
  /** Of the `rescue` or `always` of what failed: nothing is expected of it. */
  readonly is_rescue?: boolean;
  /** Tells tasks of a host apart: the task, the turn of the include around it, and which time it is. */
  readonly key: string;
  readonly items?: readonly PlannedItem[];
}

/** A turn of a task's loop. */
export interface PlannedItem extends PlannedPart {
  readonly item: string;
  /** Digest of what the turn is of. */
  readonly value: string;
}

/** A difference for people: texts of several lines as a unified diff. */
export interface PlannedChange {
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly diff?: string;
}

/** Counts the times that a host comes to the same task and names each. */
export function createTaskKeys(): (id: string, turnDigest: string | undefined) => string {
  const times = new Map<string, number>();
  return (id, turnDigest) => {
    const key = turnDigest === undefined ? id : `${id} in ${turnDigest}`;
    const time = (times.get(key) ?? 0) + 1;
    times.set(key, time);
    return time === 1 ? key : `${key} (${time})`;
  };
}

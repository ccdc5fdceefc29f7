/** What a test can have go wrong. All off at the start and after a reset. */
export interface Faults {
  /** PATCH and PUT of these nodes are refused with 403, as without the right; `*` is every node. */
  readonly forbidNodePatch: readonly string[];
  /** These budgets (`namespace/name`) allow no disruption, whatever their pods do. */
  readonly blockedBudgets: readonly string[];
  /** These pods (`namespace/prefix of the name`) never go away once they are deleted. */
  readonly stuckPods: readonly string[];
  /** Every eviction is answered with 500. */
  readonly evictionError: boolean;
  /** Resources (`leases`) that nobody may see or touch. */
  readonly forbidden: readonly string[];
}

/** No fault. */
export const noFaults: Faults = {
  forbidNodePatch: [],
  blockedBudgets: [],
  stuckPods: [],
  evictionError: false,
  forbidden: [],
};

/** A request that would change something, by someone who is not the lab's own kubelet. */
export interface Write {
  readonly time: string;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly code: number;
}

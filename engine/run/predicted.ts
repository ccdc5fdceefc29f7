import type { Change, Predicted } from '../module/contract.ts';

/** What check mode expects of a host after the tasks that it did not run. */
export interface PredictedState extends Predicted {
  /** Remembers what a skipped effect would have changed. */
  record(changes: readonly (Change | Omit<Change, 'before'>)[]): void;
}

/** A host to which nothing is predicted yet. */
export function createPredictedState(): PredictedState {
  const resources = new Map<string, Record<string, unknown>>();
  let any = false;
  return {
    get any() {
      return any;
    },
    of: (resource) => resources.get(resource) ?? {},
    under: (prefix) => [...resources.keys()].filter((resource) => resource.startsWith(prefix)),
    record(changes) {
      any = true;
      for (const change of changes) {
        if (change.resource === undefined) continue;
        const attributes = resources.get(change.resource) ?? {};
        attributes[change.path] = change.after;
        resources.set(change.resource, attributes);
      }
    },
  };
}

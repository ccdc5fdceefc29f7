import { ApiError } from './api-error.ts';
import { noFaults } from './faults.ts';
import { at, isTrue, type KubeObject, list, text } from './objects.ts';
import { matchesLabels } from './selectors.ts';
import type { Store } from './store.ts';

/** Brings the status of every budget up to date, as the disruption controller does. */
export function updateBudgets(store: Store, blocked: readonly string[] = noFaults.blockedBudgets): void {
  for (const budget of store.list('poddisruptionbudgets')) {
    const status = budgetStatus(store, budget, blocked);
    const isSame = Object.entries(status).every(([name, value]) => at(budget, `status.${name}`) === value);
    if (!isSame) store.replace('poddisruptionbudgets', { ...budget, status: { ...budget.status, ...status } });
  }
}

/** Spends one disruption of the pod's budget, or refuses in the words of the real server. */
export function spendDisruption(store: Store, pod: KubeObject): void {
  const budgets = store
    .list('poddisruptionbudgets', pod.metadata.namespace)
    .filter((budget) => matchesLabels(pod, at(budget, 'spec.selector.matchLabels')));
  if (budgets.length > 1) {
    const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    throw new ApiError(500, 'InternalError', message);
  }
  const [budget] = budgets;
  // A pod that is not ready protects nothing, so its eviction costs nothing once the budget is healthy.
  if (budget === undefined || Number(at(budget, 'status.disruptionsAllowed') ?? 0) > 0) return;
  const { name } = budget.metadata;
  const desired = text(budget, 'status.desiredHealthy');
  const current = text(budget, 'status.currentHealthy');
  throw new ApiError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [
      {
        reason: 'DisruptionBudget',
        message: `The disruption budget ${name} needs ${desired} healthy pods and has ${current} currently`,
      },
    ],
  });
}

function budgetStatus(store: Store, budget: KubeObject, blocked: readonly string[]): Record<string, number> {
  const { name, namespace = '' } = budget.metadata;
  const pods = store
    .list('pods', namespace)
    .filter((pod) => matchesLabels(pod, at(budget, 'spec.selector.matchLabels')));
  const healthy = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && isTrue(pod, 'Ready')).length;
  const expectedPods = expected(store, pods);
  const minimum = at(budget, 'spec.minAvailable');
  const desiredHealthy =
    minimum === undefined
      ? Math.max(0, expectedPods - amount(at(budget, 'spec.maxUnavailable'), expectedPods))
      : amount(minimum, expectedPods);
  const isBlocked = blocked.includes(`${namespace}/${name}`);
  const disruptionsAllowed = isBlocked ? 0 : Math.max(0, healthy - desiredHealthy);
  return { currentHealthy: healthy, desiredHealthy, disruptionsAllowed, expectedPods };
}

/** The replicas that the pods' owners want, since a pod on its way out still counts. */
function expected(store: Store, pods: readonly KubeObject[]): number {
  const owners = new Set(
    pods.map((pod) => `${pod.metadata.namespace}/${text(list(pod, 'metadata.ownerReferences')[0], 'name')}`),
  );
  return store
    .list('replicasets')
    .filter(({ metadata }) => owners.has(`${metadata.namespace}/${metadata.name}`))
    .reduce((sum, owner) => sum + Number(at(owner, 'spec.replicas') ?? 0), 0);
}

/** A number, or a percentage rounded up. */
function amount(value: unknown, total: number): number {
  const shown = String(value ?? 0);
  return shown.endsWith('%') ? Math.ceil((Number.parseInt(shown, 10) * total) / 100) : Number(shown);
}

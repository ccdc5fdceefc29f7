import { type Answer, type BudgetObject, itemsIn, type NodeObject, objectIn, type PodObject, selects } from './kube.ts';

/** What draining has to know of a node and its pods, without asking anybody: parsing and judging. */

/** Says on the Node which run holds it. A cordon without it is a human's, or another tool's. */
export const holderAnnotation = 'runbook.io/drain';

/** What `kubectl drain` is allowed to do. */
export interface DrainRules {
  readonly ignore_daemonsets: boolean;
  readonly delete_emptydir_data: boolean;
  readonly force: boolean;
}

/** A pod on the node that draining has to move away. */
export interface Evictee {
  /** NAMESPACE/NAME. */
  readonly name: string;
  readonly uid: string;
  /** Why `kubectl drain` would refuse before it evicts anything, and the argument that allows it. */
  readonly refusal?: { readonly reason: string; readonly allow: keyof DrainRules };
  /** Since when it is being deleted. */
  readonly deletedAt?: string;
  /** The budgets that cover it. More than one is an error of its own: the API server answers each eviction with 500. */
  readonly budgets: readonly Budget[];
}

/** A PodDisruptionBudget's arithmetic. */
export interface Budget {
  readonly name: string;
  readonly allowed: number;
  readonly healthy: number;
  readonly wanted: number;
}

/** A node as draining sees it. */
export interface DrainState {
  /** Minor version of kubectl: 20. */
  readonly clientMinor: number;
  readonly unschedulable: boolean;
  /** The value of {@link holderAnnotation}: a run's id. */
  readonly holder?: string;
  readonly evictees: readonly Evictee[];
}

/** Reads a node's cordon. */
export function cordonOf(node: NodeObject): { unschedulable: boolean; holder?: string } {
  const holder = node.metadata?.annotations?.[holderAnnotation];
  return { unschedulable: node.spec?.unschedulable === true, ...(holder !== undefined && { holder }) };
}

/** The minor version in `kubectl version --client -o json`; some builds write `20+`. */
export function clientMinorOf(answer: Answer): number {
  const { clientVersion } = objectIn<{ clientVersion?: { minor?: string } }>(answer);
  return Number.parseInt(clientVersion?.minor ?? '', 10) || 0;
}

/** The pods that draining has to move, judged as kubectl's own filters do (kubectl pkg/drain/filters.go). */
export function evicteesOf(pods: Answer, budgets: Answer | undefined, rules: DrainRules): Evictee[] {
  // Without the right to list budgets a drain works all the same; only its explanation is poorer.
  const known = budgets?.rc === 0 ? itemsIn<BudgetObject>(budgets) : [];
  return itemsIn<PodObject>(pods).flatMap((pod) => evictee(pod, known, rules) ?? []);
}

function evictee(pod: PodObject, budgets: readonly BudgetObject[], rules: DrainRules): Evictee | undefined {
  const { metadata = {}, spec, status } = pod;
  const owner = metadata.ownerReferences?.find((o) => o.controller === true);
  const isStatic = metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;
  const isFinished = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  if (isStatic || isFinished) return undefined;
  if (owner?.kind === 'DaemonSet' && rules.ignore_daemonsets) return undefined;
  const refusal = refusalOf(owner?.kind, spec?.volumes ?? [], rules);
  return {
    name: `${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
    uid: metadata.uid ?? '',
    ...(refusal && { refusal }),
    ...(metadata.deletionTimestamp !== undefined && { deletedAt: metadata.deletionTimestamp }),
    budgets: budgets.filter((budget) => covers(budget, metadata)).map(summary),
  };
}

function refusalOf(
  ownerKind: string | undefined,
  volumes: NonNullable<NonNullable<PodObject['spec']>['volumes']>,
  rules: DrainRules,
): Evictee['refusal'] {
  if (ownerKind === 'DaemonSet') {
    return { reason: 'it belongs to a DaemonSet, which would start it again', allow: 'ignore_daemonsets' };
  }
  if (ownerKind === undefined && !rules.force) {
    return { reason: 'no controller would start it again elsewhere', allow: 'force' };
  }
  const volume = volumes.find((v) => v.emptyDir !== undefined);
  if (volume && !rules.delete_emptydir_data) {
    return { reason: `its emptyDir "${volume.name ?? ''}" would be lost`, allow: 'delete_emptydir_data' };
  }
  return undefined;
}

function covers(budget: BudgetObject, pod: NonNullable<PodObject['metadata']>): boolean {
  const selector = budget.spec?.selector;
  if (budget.metadata?.namespace !== pod.namespace || selector === null || selector === undefined) return false;
  const isEmpty =
    Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
  // An empty selector is every pod of the namespace in policy/v1, and none in v1beta1 (Kubernetes 1.21 release notes).
  if (isEmpty) return budget.apiVersion !== 'policy/v1beta1';
  return selects(selector, pod.labels ?? {});
}

function summary({ metadata, status }: BudgetObject): Budget {
  return {
    name: `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`,
    allowed: status?.disruptionsAllowed ?? 0,
    healthy: status?.currentHealthy ?? 0,
    wanted: status?.desiredHealthy ?? 0,
  };
}

/** What `kubectl drain` would refuse before it evicts anything: it does so only after it has cordoned the node. */
export function refusals(evictees: readonly Evictee[]): string[] {
  return evictees.flatMap(({ name, refusal }) =>
    refusal ? [`${name}: ${refusal.reason} (${refusal.allow}: true allows it)`] : [],
  );
}

/** One line per pod that is still there, with what holds it. */
export function whatHolds(left: readonly Evictee[], before: readonly Evictee[]): string[] {
  return left.map((pod) => `${pod.name}: ${reasonOf(pod, before)}`);
}

function reasonOf(pod: Evictee, before: readonly Evictee[]): string {
  if (pod.deletedAt !== undefined) {
    return `is being deleted since ${pod.deletedAt} and has not ended: a long grace period, a finalizer, or a process that cannot be killed`;
  }
  if (pod.budgets.length > 1) {
    return `is covered by ${pod.budgets.length} PodDisruptionBudgets (${pod.budgets.map((b) => b.name).join(', ')}); the API server evicts no such pod`;
  }
  const [budget] = pod.budgets;
  if (budget !== undefined && budget.allowed <= 0) return `is held by ${describeBudget(budget)}`;
  if (!before.some((other) => other.uid === pod.uid)) {
    return 'came after the node was cordoned: it tolerates node.kubernetes.io/unschedulable, or was bound by hand';
  }
  return budget === undefined ? 'was not evicted' : `was not evicted in time; ${describeBudget(budget)}`;
}

/** A budget's arithmetic in words. */
export function describeBudget({ name, allowed, healthy, wanted }: Budget): string {
  return `PodDisruptionBudget ${name}, which allows ${allowed} disruptions (${healthy} healthy, ${wanted} wanted)`;
}

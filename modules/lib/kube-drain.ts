import { type Answer, type BudgetObject, itemsIn, type NodeObject, objectIn, type PodObject, selects } from './kube.ts';
import { type Holder, holderOf } from './kube-holder.ts';

/** What draining has to know of a node and its pods, without asking anybody: parsing and judging. */

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
  readonly cordon: Cordon;
  readonly evictees: readonly Evictee[];
}

/** Whether a node takes pods, and which run says that it holds it. */
export interface Cordon {
  readonly unschedulable: boolean;
  readonly holder?: Holder;
  /** The version of the Node that this was read from. */
  readonly version?: string;
}

/** Reads a node's cordon. */
export function cordonOf(node: NodeObject): Cordon {
  const holder = holderOf(node);
  const version = node.metadata?.resourceVersion;
  return {
    unschedulable: node.spec?.unschedulable === true,
    ...(holder && { holder }),
    ...(version !== undefined && { version }),
  };
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

/** What is waited for while pods are left: `eviction of web-5f (PodDisruptionBudget web) and 2 more pods`. */
export function whatIsWaitedFor(left: readonly Evictee[]): string {
  const isHeld = ({ budgets, deletedAt }: Evictee): boolean =>
    deletedAt === undefined && budgets.some((budget) => budget.allowed <= 0);
  const first = left.find(isHeld) ?? left[0];
  if (first === undefined) return 'the pods to be gone';
  const more = left.length - 1;
  return `${waitOf(first)}${more === 0 ? '' : ` and ${more} more ${more === 1 ? 'pod' : 'pods'}`}`;
}

function waitOf({ name, deletedAt, budgets }: Evictee): string {
  if (deletedAt !== undefined) return `${brief(name)} to end (being deleted since ${deletedAt})`;
  const names = budgets.filter((budget) => budget.allowed <= 0).map((budget) => brief(budget.name));
  return `eviction of ${brief(name)}${names.length === 0 ? '' : ` (PodDisruptionBudget ${names.join(', ')})`}`;
}

/** A name as kubectl shows it in the namespace where everybody is. */
function brief(name: string): string {
  return name.replace(/^default\//, '');
}

import { updateBudgets } from './budgets.ts';
import type { Faults } from './faults.ts';
import { at, type Condition, conditions, isTrue, type KubeObject, list, text, timestamp } from './objects.ts';
import { type Resource, resources } from './resources.ts';
import type { Store } from './store.ts';

/** How long a node may be silent before it counts as Unknown. */
const nodeGraceMs = 40_000;

/** How much longer than its grace period a pod waits for its kubelet's word. */
const deletionSlackMs = 5_000;

/** One round of what the controller manager and the scheduler do, as far as a drain can see it. */
export function runControllers(store: Store, faults: Faults): void {
  for (const node of store.list('nodes')) watchHeartbeat(store, node);
  for (const pod of store.list('pods')) removeWhenOver(store, pod, faults);
  for (const owner of store.list('replicasets')) replacePods(store, owner);
  for (const owner of store.list('daemonsets')) placeDaemons(store, owner);
  schedule(store);
  updateBudgets(store, faults.blockedBudgets);
}

/** Whether a fault keeps the pod from going away. */
export function isStuck(pod: KubeObject, faults: Faults): boolean {
  const path = `${pod.metadata.namespace}/${pod.metadata.name}`;
  return faults.stuckPods.some((prefix) => path.startsWith(prefix));
}

function watchHeartbeat(store: Store, node: KubeObject): void {
  const ready = conditions(node).find(({ type }) => type === 'Ready');
  if (ready === undefined || ready.status === 'Unknown') return;
  if (Date.now() - Date.parse(ready.lastHeartbeatTime ?? '') < nodeGraceMs) return;
  const now = timestamp();
  const unknown: Condition = {
    ...ready,
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
    lastTransitionTime: now,
  };
  const others = conditions(node).filter(({ type }) => type !== 'Ready');
  // Conditions are JSON; their interface only lacks the index signature.
  const status = {
    ...node.status,
    conditions: [...others, unknown] as unknown as readonly { [key: string]: string }[],
  };
  store.replace('nodes', { ...node, status });
}

function removeWhenOver(store: Store, pod: KubeObject, faults: Faults): void {
  const { deletionTimestamp } = pod.metadata;
  if (deletionTimestamp === undefined || isStuck(pod, faults)) return;
  if (Date.now() > Date.parse(deletionTimestamp) + deletionSlackMs) store.remove('pods', pod);
}

function replacePods(store: Store, owner: KubeObject): void {
  const alive = ownedPods(store, owner).filter((pod) => pod.metadata.deletionTimestamp === undefined);
  for (let count = alive.length; count < Number(at(owner, 'spec.replicas') ?? 0); count++) createPod(store, owner);
}

function placeDaemons(store: Store, owner: KubeObject): void {
  const pods = ownedPods(store, owner);
  for (const { metadata } of store.list('nodes')) {
    const isPlaced = pods.some((pod) => text(pod, 'spec.nodeName') === metadata.name);
    if (!isPlaced) createPod(store, owner, metadata.name);
  }
}

function ownedPods(store: Store, owner: KubeObject): KubeObject[] {
  const { namespace, uid } = owner.metadata;
  return store.list('pods', namespace).filter((pod) => pod.metadata.ownerReferences?.some((ref) => ref.uid === uid));
}

function createPod(store: Store, owner: KubeObject, nodeName?: string): void {
  const { name, namespace = 'default', uid = '' } = owner.metadata;
  const template = at(owner, 'spec.template');
  // Written in seed.ts: a template has labels and a spec.
  const { metadata, spec } = template as unknown as Pick<KubeObject, 'metadata' | 'spec'>;
  const { labels } = metadata;
  store.create(podResource, {
    apiVersion: 'v1',
    kind: 'Pod',
    // `name` is missing on purpose: the store makes one from generateName.
    metadata: {
      generateName: `${name}-`,
      namespace,
      ...(labels === undefined ? {} : { labels }),
      ownerReferences: [{ apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true }],
    } as unknown as KubeObject['metadata'],
    spec: { ...spec, ...(nodeName === undefined ? {} : { nodeName }) },
    status: { phase: 'Pending' },
  });
}

/** Gives pods without a node the emptiest one that is ready and not cordoned. */
function schedule(store: Store): void {
  // At the start the first node to report would otherwise get everything.
  if (store.list('nodes').some((node) => conditions(node).length === 0)) return;
  const waiting = store.list('pods').filter((pod) => text(pod, 'spec.nodeName') === '');
  for (const pod of waiting) {
    const candidates = store
      .list('nodes')
      .filter((node) => isTrue(node, 'Ready') && text(node, 'spec.unschedulable') !== 'true')
      .map(({ metadata }) => ({ name: metadata.name, load: loadOf(store, metadata.name, pod) }))
      .sort((a, b) => a.load - b.load || (a.name < b.name ? -1 : 1));
    const [target] = candidates;
    if (target === undefined) return;
    store.replace('pods', { ...pod, spec: { ...pod.spec, nodeName: target.name } });
  }
}

/** Pods of the same owner weigh most, so that replicas spread. */
function loadOf(store: Store, nodeName: string, pod: KubeObject): number {
  const owner = text(list(pod, 'metadata.ownerReferences')[0], 'uid');
  const here = store.list('pods').filter((other) => text(other, 'spec.nodeName') === nodeName);
  const siblings = here.filter((other) => text(list(other, 'metadata.ownerReferences')[0], 'uid') === owner);
  return here.length + 100 * siblings.length;
}

function resourceNamed(plural: string): Resource {
  const found = resources.find((resource) => resource.plural === plural);
  if (found === undefined) throw new Error(`no resource ${plural}`);
  return found;
}

const podResource = resourceNamed('pods');

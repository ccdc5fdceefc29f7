import { imageNames } from '../archive/images.ts';
import type { JsonObject, KubeObject } from './objects.ts';
import { resources } from './resources.ts';
import type { Store } from './store.ts';

/** The first objects: N nodes as kubeadm joins them, a DaemonSet, three replicas behind a budget, a pod with a cache. */
export function seed(store: Store, nodeCount: number): void {
  const objects = [
    ...['default', 'kube-system', 'kube-node-lease'].map((name) => object('v1', 'Namespace', { name })),
    ...Array.from({ length: nodeCount }, (_, index) => node(index + 1)),
    ...workloads(),
  ];
  for (const each of objects) {
    const resource = resources.find(({ kind }) => kind === each.kind);
    if (resource !== undefined) store.create(resource, each);
  }
}

/** What runs on the nodes at first, static pods aside. */
export function workloads(): KubeObject[] {
  const webLabels = { app: 'web' };
  return [
    owner('DaemonSet', 'kube-system', 'node-agent', podSpec()),
    owner('ReplicaSet', 'default', 'web-6c9f7d5b8', podSpec(), 3),
    owner('ReplicaSet', 'default', 'cache-5b7d9c4f6', podSpec({ volumes: [{ name: 'scratch', emptyDir: {} }] }), 1),
    object(
      'policy/v1',
      'PodDisruptionBudget',
      { name: 'web', namespace: 'default' },
      { minAvailable: 2, selector: { matchLabels: webLabels } },
    ),
  ];
}

function node(number: number): KubeObject {
  const name = `node-${number}`;
  const labels = {
    'beta.kubernetes.io/arch': 'amd64',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
  };
  const annotations = { 'kubeadm.alpha.kubernetes.io/cri-socket': '/var/run/dockershim.sock' };
  const spec = { podCIDR: `10.244.${number}.0/24`, podCIDRs: [`10.244.${number}.0/24`] };
  return object('v1', 'Node', { name, labels, annotations }, spec);
}

function owner(
  kind: 'DaemonSet' | 'ReplicaSet',
  namespace: string,
  name: string,
  spec: JsonObject,
  replicas?: number,
): KubeObject {
  const labels = {
    app: name
      .split('-')
      .slice(0, kind === 'DaemonSet' ? 2 : 1)
      .join('-'),
  };
  return object(
    'apps/v1',
    kind,
    { name, namespace, labels },
    {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec },
    },
  );
}

function podSpec(more: JsonObject = {}): JsonObject {
  return {
    containers: [{ name: 'main', image: imageNames.workload }],
    terminationGracePeriodSeconds: 3,
    restartPolicy: 'Always',
    ...more,
  };
}

function object(apiVersion: string, kind: string, metadata: KubeObject['metadata'], spec?: JsonObject): KubeObject {
  return { apiVersion, kind, metadata, ...(spec === undefined ? {} : { spec }) };
}

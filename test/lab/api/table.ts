import { isTrue, type JsonObject, type KubeObject, list, text } from './objects.ts';

interface Column {
  readonly name: string;
  /** 1 is shown with `-o wide` only. */
  readonly priority: 0 | 1;
  readonly value: (object: KubeObject) => string;
}

/** The Table that `kubectl get` prints, with the columns that the real server has for the kind. */
export function table(
  plural: string,
  objects: readonly KubeObject[],
  wholeObjects: boolean,
  version: string,
): JsonObject {
  const columns = columnsOf(plural);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: version },
    columnDefinitions: columns.map(({ name, priority }) => ({
      name,
      priority,
      type: 'string',
      format: name === 'Name' ? 'name' : '',
      description: '',
    })),
    rows: objects.map((object) => ({
      cells: columns.map(({ value }) => value(object)),
      object: asJson(wholeObjects ? object : partial(object)),
    })),
  };
}

const nameColumn = column('Name', ({ metadata }) => metadata.name);
const ageColumn = column('Age', ({ metadata }) => age(metadata.creationTimestamp));

function columnsOf(plural: string): readonly Column[] {
  switch (plural) {
    case 'nodes':
      return nodeColumns;
    case 'pods':
      return podColumns;
    case 'poddisruptionbudgets':
      return budgetColumns;
    default:
      return [nameColumn, ageColumn];
  }
}

const nodeColumns: readonly Column[] = [
  nameColumn,
  column('Status', (node) => {
    const isSchedulable = text(node, 'spec.unschedulable') !== 'true';
    return `${isTrue(node, 'Ready') ? 'Ready' : 'NotReady'}${isSchedulable ? '' : ',SchedulingDisabled'}`;
  }),
  column('Roles', roles),
  ageColumn,
  column('Version', (node) => text(node, 'status.nodeInfo.kubeletVersion')),
  wide('Internal-IP', (node) => text(list(node, 'status.addresses')[0], 'address') || '<none>'),
  wide('External-IP', () => '<none>'),
  wide('OS-Image', (node) => text(node, 'status.nodeInfo.osImage') || '<unknown>'),
  wide('Kernel-Version', (node) => text(node, 'status.nodeInfo.kernelVersion') || '<unknown>'),
  wide('Container-Runtime', (node) => text(node, 'status.nodeInfo.containerRuntimeVersion') || '<unknown>'),
];

const podColumns: readonly Column[] = [
  nameColumn,
  column('Ready', (pod) => {
    const statuses = list(pod, 'status.containerStatuses');
    return `${statuses.filter(({ ready }) => ready === true).length}/${list(pod, 'spec.containers').length}`;
  }),
  column('Status', (pod) => (pod.metadata.deletionTimestamp === undefined ? text(pod, 'status.phase') : 'Terminating')),
  column('Restarts', (pod) =>
    String(list(pod, 'status.containerStatuses').reduce((sum, { restartCount }) => sum + Number(restartCount ?? 0), 0)),
  ),
  ageColumn,
  wide('IP', (pod) => text(pod, 'status.podIP') || '<none>'),
  wide('Node', (pod) => text(pod, 'spec.nodeName') || '<none>'),
  wide('Nominated Node', () => '<none>'),
  wide('Readiness Gates', () => '<none>'),
];

const budgetColumns: readonly Column[] = [
  nameColumn,
  column('Min Available', (budget) => text(budget, 'spec.minAvailable') || 'N/A'),
  column('Max Unavailable', (budget) => text(budget, 'spec.maxUnavailable') || 'N/A'),
  column('Allowed Disruptions', (budget) => text(budget, 'status.disruptionsAllowed')),
  ageColumn,
];

function roles(node: KubeObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const labels = Object.keys(node.metadata.labels ?? {}).filter((label) => label.startsWith(prefix));
  return (
    labels
      .map((label) => label.slice(prefix.length))
      .sort()
      .join(',') || '<none>'
  );
}

function age(created: string | undefined): string {
  const seconds = Math.floor((Date.now() - Date.parse(created ?? '')) / 1000);
  if (Number.isNaN(seconds)) return '<unknown>';
  if (seconds < 120) return `${seconds}s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)}m` : `${Math.floor(seconds / 3600)}h`;
}

function partial({ metadata }: KubeObject): { kind: string; apiVersion: string; metadata: KubeObject['metadata'] } {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}

function column(name: string, value: Column['value']): Column {
  return { name, priority: 0, value };
}

function wide(name: string, value: Column['value']): Column {
  return { name, priority: 1, value };
}

function asJson(value: object): JsonObject {
  // Objects of the store are JSON; their interface only lacks the index signature.
  return value as JsonObject;
}

/** A type of address that a node has, or `name`: reach it by its name. */
export const addressTypes = ['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS', 'name'] as const;

/** How a node is reached. */
export type AddressType = (typeof addressTypes)[number];

/** What an inventory says of one node. */
export interface NodeEntry {
  readonly name: string;
  /** Groups, and for each the text that its name was made of. */
  readonly groups: readonly { readonly name: string; readonly madeOf: string }[];
  readonly variables: Readonly<Record<string, unknown>>;
  /** Set when the node has no address of the type that is asked for; the types that it has. */
  readonly missingAddress?: readonly string[];
}

/**
 * Reads the answer of `kubectl get nodes -o json`. Gives undefined for anything else. Groups are `control_plane` or
 * `worker`, `role_…` for other roles, `zone_…`, and `label_…` for the labels that are named.
 */
export function readNodes(
  answer: unknown,
  options: { readonly address: AddressType; readonly groupLabels: readonly string[] },
): readonly NodeEntry[] | undefined {
  const items = field(answer, 'items');
  if (!Array.isArray(items)) return undefined;
  const nodes = items.map((item) => readNode(item, options));
  return nodes.every((node) => node !== undefined) ? nodes : undefined;
}

function readNode(
  node: unknown,
  { address: wanted, groupLabels }: { readonly address: AddressType; readonly groupLabels: readonly string[] },
): NodeEntry | undefined {
  const [metadata, spec, status] = [field(node, 'metadata'), field(node, 'spec'), field(node, 'status')];
  const name = field(metadata, 'name');
  if (typeof name !== 'string' || name === '') return undefined;
  const labels = texts(field(metadata, 'labels'));
  const zone = labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'];
  const roles = rolesOf(labels);
  const addresses = list(field(status, 'addresses')).map((one) => ({
    type: String(field(one, 'type')),
    address: String(field(one, 'address')),
  }));
  const address = addresses.find(({ type }) => type === wanted)?.address;
  const info = field(status, 'nodeInfo');
  return {
    name,
    groups: groupsOf(roles, zone, labels, groupLabels),
    variables: {
      ...(address !== undefined && { ansible_host: address }),
      kube_node_name: name,
      ...(zone !== undefined && { zone }),
      kubernetes: {
        node: name,
        ready: readiness(list(field(status, 'conditions'))),
        schedulable: field(spec, 'unschedulable') !== true,
        roles,
        labels,
        taints: list(field(spec, 'taints')).map(readTaint),
        addresses,
        kubelet_version: text(field(info, 'kubeletVersion')),
        container_runtime: text(field(info, 'containerRuntimeVersion')),
        os_image: text(field(info, 'osImage')),
        kernel_version: text(field(info, 'kernelVersion')),
      },
    },
    ...(address === undefined && wanted !== 'name' && { missingAddress: addresses.map(({ type }) => type) }),
  };
}

/** Without a role a node is a worker, as in `kubectl get nodes`, which shows it as `<none>`. */
function rolesOf(labels: Readonly<Record<string, string>>): string[] {
  const prefix = 'node-role.kubernetes.io/';
  const named = Object.keys(labels).flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []));
  // What control planes were called up to Kubernetes 1.23.
  const roles = new Set(named.map((role) => (role === 'master' ? 'control-plane' : role)));
  if (!roles.has('control-plane')) roles.add('worker');
  return [...roles].sort();
}

function groupsOf(
  roles: readonly string[],
  zone: string | undefined,
  labels: Readonly<Record<string, string>>,
  groupLabels: readonly string[],
): NodeEntry['groups'] {
  const common = ['control-plane', 'worker'];
  const byRole = roles.map((role) => (common.includes(role) ? role : `role_${role}`));
  const byZone = zone === undefined ? [] : [`zone_${zone}`];
  const byLabel = groupLabels.flatMap((key) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (value === undefined) return [];
    return [value === '' ? `label_${key}` : `label_${key}_${value}`];
  });
  return [...byRole, ...byZone, ...byLabel].map((madeOf) => ({ name: groupName(madeOf), madeOf }));
}

/** Letters, digits and `_`: every tool takes it as the name of a group, and no host pattern reads more into it. */
function groupName(madeOf: string): string {
  return madeOf.replace(/[^A-Za-z0-9_]/g, '_');
}

function readiness(conditions: readonly unknown[]): boolean | 'unknown' {
  const status = field(
    conditions.find((condition) => field(condition, 'type') === 'Ready'),
    'status',
  );
  return status === 'True' ? true : status === 'False' ? false : 'unknown';
}

function readTaint(taint: unknown): { key: string; value: string; effect: string } {
  return { key: text(field(taint, 'key')), value: text(field(taint, 'value')), effect: text(field(taint, 'effect')) };
}

function field(data: unknown, name: string): unknown {
  if (typeof data !== 'object' || data === null || !Object.hasOwn(data, name)) return undefined;
  return (data as Record<string, unknown>)[name];
}

function list(data: unknown): readonly unknown[] {
  return Array.isArray(data) ? data : [];
}

function text(data: unknown): string {
  return typeof data === 'string' ? data : '';
}

function texts(data: unknown): Record<string, string> {
  if (typeof data !== 'object' || data === null) return {};
  return Object.fromEntries(
    Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

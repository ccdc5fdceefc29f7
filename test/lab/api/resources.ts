/** A kind of object that the stand-in knows. */
export interface Resource {
  readonly plural: string;
  readonly kind: string;
  readonly group: string;
  /** The preferred version first. */
  readonly versions: readonly string[];
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
}

function resource(
  plural: string,
  kind: string,
  group: string,
  versions: string,
  shortNames = '',
  namespaced = true,
): Resource {
  return {
    plural,
    kind,
    group,
    versions: versions.split(' '),
    namespaced,
    shortNames: shortNames.split(' ').filter(Boolean),
  };
}

/** All kinds. Objects that nothing here looks at (ConfigMaps, Events) can be made and read all the same. */
export const resources: readonly Resource[] = [
  resource('nodes', 'Node', '', 'v1', 'no', false),
  resource('pods', 'Pod', '', 'v1', 'po'),
  resource('namespaces', 'Namespace', '', 'v1', 'ns', false),
  resource('configmaps', 'ConfigMap', '', 'v1', 'cm'),
  resource('events', 'Event', '', 'v1', 'ev'),
  resource('daemonsets', 'DaemonSet', 'apps', 'v1', 'ds'),
  resource('replicasets', 'ReplicaSet', 'apps', 'v1', 'rs'),
  resource('poddisruptionbudgets', 'PodDisruptionBudget', 'policy', 'v1 v1beta1', 'pdb'),
  resource('leases', 'Lease', 'coordination.k8s.io', 'v1'),
];

/** Groups that have no stored objects. */
export const virtualGroups: Readonly<Record<string, readonly string[]>> = { 'authorization.k8s.io': ['v1'] };

/** The apiVersion of a group and a version. */
export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

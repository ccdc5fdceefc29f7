import type { JsonObject } from './objects.ts';
import { apiVersionOf, type Resource, resources, virtualGroups } from './resources.ts';

/** The version that the stand-in says it is: that of its kubelets. */
export function serverVersion(version: string): JsonObject {
  const [major = '1', minor = '23'] = version.split('.');
  return { major, minor, gitVersion: `v${version}`, gitTreeState: 'clean', platform: 'linux/amd64' };
}

/** What `/api`, `/apis`, `/api/v1` and `/apis/GROUP/VERSION` say; undefined for anything else. */
export function discovery(path: string): JsonObject | undefined {
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups().map(groupEntry) };
  const [, root, ...rest] = path.split('/');
  const [group, version] = root === 'api' ? ['', rest[0]] : rest;
  const isGroupVersion = rest.length === (root === 'api' ? 1 : 2) && (root === 'api' || root === 'apis');
  if (!isGroupVersion || group === undefined || version === undefined) return undefined;
  if (!versionsOf(group).includes(version)) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(group, version),
    resources: resourceEntries(group, version),
  };
}

function groups(): string[] {
  const stored = resources.map(({ group }) => group).filter((group) => group !== '');
  return [...new Set([...stored, ...Object.keys(virtualGroups)])];
}

function versionsOf(group: string): readonly string[] {
  return virtualGroups[group] ?? resources.find((resource) => resource.group === group)?.versions ?? [];
}

function groupEntry(name: string): JsonObject {
  const versions = versionsOf(name).map((version) => ({ groupVersion: apiVersionOf(name, version), version }));
  return { name, versions, preferredVersion: versions[0] };
}

function resourceEntries(group: string, version: string): JsonObject[] {
  const stored = resources.filter((resource) => resource.group === group && resource.versions.includes(version));
  const entries = stored.flatMap((resource) => [
    entry(resource),
    ...(['nodes', 'pods', 'poddisruptionbudgets', 'daemonsets'].includes(resource.plural)
      ? [{ ...entry(resource), name: `${resource.plural}/status`, verbs: ['get', 'patch', 'update'], shortNames: [] }]
      : []),
  ]);
  if (group === '') {
    // kubectl looks for exactly this to learn that it may evict.
    const eviction = { name: 'pods/eviction', singularName: '', namespaced: true, kind: 'Eviction', verbs: ['create'] };
    entries.push({ ...eviction, group: 'policy', version: 'v1' });
  }
  if (group === 'authorization.k8s.io') {
    const kind = 'SelfSubjectAccessReview';
    entries.push({ name: 'selfsubjectaccessreviews', singularName: '', namespaced: false, kind, verbs: ['create'] });
  }
  return entries;
}

function entry({ plural, kind, namespaced, shortNames }: Resource): JsonObject {
  const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
  return { name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs, shortNames };
}

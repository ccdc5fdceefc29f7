import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ApiClient } from './api-client.ts';
import type { Pod } from './pods.ts';
import type { KubeletSettings } from './settings.ts';

const mirror = 'kubernetes.io/config.mirror';

/** The pods of the manifests folder, named after the node, with an id that stays. */
export function readStaticPods({ staticPodPath, nodeName }: KubeletSettings): Pod[] {
  if (staticPodPath === '' || !existsSync(staticPodPath)) return [];
  const files = readdirSync(staticPodPath).filter((file) => /^[^.].*\.(ya?ml|json)$/.test(file));
  return files.sort().map((file) => {
    const text = readFileSync(join(staticPodPath, file), 'utf8');
    // A manifest that is no pod fails where its fields are read, and the log says so.
    const pod = parse(text) as Pod;
    const uid = createHash('md5').update(`${nodeName} ${text}`).digest('hex');
    const metadata = { ...pod.metadata, name: `${pod.metadata.name}-${nodeName}`, uid };
    return { metadata: { ...metadata, namespace: metadata.namespace ?? 'default' }, spec: { ...pod.spec, nodeName } };
  });
}

/** Whether an object of the API server is only the picture of a static pod. */
export function isMirror({ metadata }: Pod): boolean {
  return metadata.annotations?.[mirror] !== undefined;
}

/** Shows a static pod to the API server, where kubectl finds it and drain skips it. */
export async function createMirror(api: ApiClient, pod: Pod): Promise<void> {
  const { name, namespace, uid, labels } = pod.metadata;
  const annotations = { [mirror]: uid, 'kubernetes.io/config.source': 'file' };
  const metadata = { name, namespace, ...(labels === undefined ? {} : { labels }), annotations };
  const body = { apiVersion: 'v1', kind: 'Pod', metadata, spec: pod.spec, status: { phase: 'Pending' } };
  await api('POST', `/api/v1/namespaces/${namespace}/pods`, body);
}

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Faults, Write } from '../lab/api/faults.ts';
import type { JsonObject, KubeObject } from '../lab/api/objects.ts';
import { createApiServer, kubeletUserAgent } from '../lab/api-server.ts';
import { kubeconfigFor } from './fake-kube-api.ts';

/** Whether there is a kubectl to speak to the cluster with. */
export const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

/** The lab's API server in this process, on loopback, with ready nodes `node-1` … and their pods. */
export async function createKubeCluster(nodeCount = 3) {
  const server = createApiServer(nodeCount);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function request(method: string, path: string, body?: object, type = 'application/json'): Promise<JsonObject> {
    const headers = { 'content-type': type, 'user-agent': kubeletUserAgent };
    const response = await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    // What the API server answers is an object.
    return (await response.json()) as JsonObject;
  }
  const patch = (path: string, body: object): Promise<JsonObject> =>
    request('PATCH', path, body, 'application/merge-patch+json');
  const get = async (path: string): Promise<KubeObject> => (await request('GET', path)) as unknown as KubeObject;
  const setFaults = (faults: Partial<Faults>): Promise<JsonObject> => request('PUT', '/lab/faults', faults);

  // No kubelet is there to say it again.
  const ready = { type: 'Ready', status: 'True', lastHeartbeatTime: '2999-01-01T00:00:00Z' };
  for (let n = 1; n <= nodeCount; n++)
    await patch(`/api/v1/nodes/node-${n}/status`, { status: { conditions: [ready] } });
  // The controllers make the pods in one round, and the scheduler places them in the next.
  await setFaults({});
  await setFaults({});
  const workOnPods = async (): Promise<void> => {
    const { items } = await request('GET', '/api/v1/pods');
    for (const pod of items as unknown as readonly KubeObject[]) {
      const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}`;
      const isPlaced = (pod.spec as { nodeName?: string } | undefined)?.nodeName !== undefined;
      if (pod.metadata.deletionTimestamp !== undefined) await request('DELETE', `${path}?gracePeriodSeconds=0`);
      else if (isPlaced && !isRunning(pod))
        await patch(`${path}/status`, { status: { phase: 'Running', conditions: [ready] } });
    }
  };
  await workOnPods();
  await setFaults({});
  let isWorking = false;
  const kubelets = setInterval(() => {
    if (isWorking) return;
    isWorking = true;
    // The server may just be closing.
    void workOnPods()
      .catch(() => undefined)
      .finally(() => {
        isWorking = false;
      });
  }, 200);
  return {
    /** A kubeconfig with one context. */
    kubeconfig: kubeconfigFor(url),
    request,
    patch,
    setFaults,
    node: (name: string) => get(`/api/v1/nodes/${name}`),
    /** The Lease of the maintenance lock. */
    lock: () => get('/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/runbook-node-maintenance'),
    async writes(): Promise<readonly Write[]> {
      const { items } = await request('GET', '/lab/writes');
      return items as unknown as Write[];
    },
    /** A node with a pod of this app. */
    async nodeWith(app: string): Promise<string> {
      const { items } = await request('GET', `/api/v1/pods?labelSelector=app%3D${app}`);
      const [pod] = items as unknown as readonly { spec: { nodeName: string } }[];
      return pod?.spec.nodeName ?? '';
    },
    async [Symbol.asyncDispose]() {
      clearInterval(kubelets);
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function isRunning({ status }: KubeObject): boolean {
  return (status as { phase?: string } | undefined)?.phase === 'Running';
}

/** A cluster to drain nodes of. */
export type KubeCluster = Awaited<ReturnType<typeof createKubeCluster>>;

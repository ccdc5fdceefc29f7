import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import type { ApiClient } from './api-client.ts';
import type { Runtime } from './pods.ts';
import type { KubeletSettings } from './settings.ts';

/** Posts the node's status and renews its lease: the heartbeat. Returns whether the runtime answers. */
export function heartbeat(settings: KubeletSettings, runtime: Runtime, api: ApiClient): () => Promise<boolean> {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const machineId = readFileSync('/etc/machine-id', 'utf8').trim();
  const osImage = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  const node = `/api/v1/nodes/${settings.nodeName}`;
  let lastReady = '';
  let since = timestamp();
  let lastVersion = '';

  return async () => {
    let message = '';
    try {
      lastVersion = await runtime.version();
    } catch (error) {
      message = `[container runtime is down: ${error instanceof Error ? error.message : String(error)}]`;
    }
    const isReady = message === '';
    const now = timestamp();
    if (lastReady !== String(isReady)) since = now;
    lastReady = String(isReady);
    const ready = {
      type: 'Ready',
      status: isReady ? 'True' : 'False',
      reason: isReady ? 'KubeletReady' : 'KubeletNotReady',
      message: isReady ? 'kubelet is posting ready status' : message,
      lastHeartbeatTime: now,
      lastTransitionTime: since,
    };
    const pressures = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({
      type,
      status: 'False',
      reason: `KubeletHasNo${type}`,
      message: '',
      lastHeartbeatTime: now,
      lastTransitionTime: since,
    }));
    const status = {
      addresses: [
        { type: 'InternalIP', address: settings.nodeIp },
        { type: 'Hostname', address: settings.nodeName },
      ],
      conditions: [...pressures, ready],
      nodeInfo: {
        architecture: 'amd64',
        operatingSystem: 'linux',
        bootID: bootId,
        machineID: machineId,
        systemUUID: machineId,
        kernelVersion: release(),
        osImage,
        containerRuntimeVersion: lastVersion,
        kubeletVersion: settings.version,
        kubeProxyVersion: settings.version,
      },
    };
    const patched = await api('PATCH', `${node}/status`, { status }, 'application/merge-patch+json');
    if (patched === undefined) {
      const metadata = { name: settings.nodeName, labels: { 'kubernetes.io/hostname': settings.nodeName } };
      await api('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata, spec: {}, status });
    }
    await renewLease(settings.nodeName, api);
    return isReady;
  };
}

async function renewLease(name: string, api: ApiClient): Promise<void> {
  const folder = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
  const spec = {
    holderIdentity: name,
    leaseDurationSeconds: 40,
    renewTime: new Date().toISOString().replace('Z', '000Z'),
  };
  const renewed = await api('PATCH', `${folder}/${name}`, { spec }, 'application/merge-patch+json');
  if (renewed === undefined) {
    await api('POST', folder, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec });
  }
}

function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

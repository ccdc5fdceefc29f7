import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { addToNetwork, cachedAddress, removeFromNetwork } from './cni.ts';
import { linkLogs, removeLogs } from './docker-logs.ts';
import { imageFile } from './images.ts';
import { cgroupParent, kubeletLabels, type Pod, type RunningPod, type Runtime } from './pods.ts';
import type { KubeletSettings } from './settings.ts';

interface DockerContainer {
  readonly Id: string;
  readonly State: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** Docker as dockershim used it: labels, names, logs, CNI and all. */
export function dockerRuntime(settings: KubeletSettings): Runtime {
  return {
    scheme: 'docker',
    async version() {
      const { Version } = await json<{ Version: string }>('GET', '/version');
      return `docker://${Version}`;
    },

    async list() {
      const filters = encodeURIComponent(JSON.stringify({ label: ['io.kubernetes.pod.uid'] }));
      const all = await json<DockerContainer[]>('GET', `/containers/json?all=1&filters=${filters}`);
      const sandboxes = all.filter(({ Labels }) => Labels['io.kubernetes.docker.type'] === 'podsandbox');
      return sandboxes.map(({ Id, State, Labels }): RunningPod => {
        const uid = Labels['io.kubernetes.pod.uid'] ?? '';
        const siblings = all.filter((other) => other.Id !== Id && other.Labels['io.kubernetes.sandbox.id'] === Id);
        return {
          uid,
          name: Labels['io.kubernetes.pod.name'] ?? '',
          namespace: Labels['io.kubernetes.pod.namespace'] ?? '',
          sandboxId: Id,
          isReady: State === 'running',
          ip: cachedAddress(Id),
          containers: siblings.map((container) => ({
            id: container.Id,
            name: container.Labels['io.kubernetes.container.name'] ?? '',
            isRunning: container.State === 'running',
          })),
        };
      });
    },

    async startSandbox(pod) {
      const isOnHost = pod.spec.hostNetwork === true;
      await ensureImage(settings.pauseImage);
      const { name, namespace, uid } = pod.metadata;
      const id = await create(`k8s_POD_${name}_${namespace}_${uid}_0`, {
        Image: settings.pauseImage,
        Hostname: isOnHost ? '' : name,
        Labels: { ...pod.metadata.labels, ...kubeletLabels(pod, 'POD'), 'io.kubernetes.docker.type': 'podsandbox' },
        HostConfig: { ...hostConfig(pod, settings), NetworkMode: isOnHost ? 'host' : 'none' },
      });
      if (!isOnHost && settings.runtime.kind === 'docker' && settings.runtime.network === 'cni') {
        const { State } = await json<{ State: { Pid: number } }>('GET', `/containers/${id}/json`);
        addToNetwork(settings, pod, id, State.Pid);
      }
      return id;
    },

    async startContainer(pod, sandboxId, container, attempt) {
      await ensureImage(container.image);
      const { name, namespace, uid } = pod.metadata;
      const id = await create(`k8s_${container.name}_${name}_${namespace}_${uid}_${attempt}`, {
        Image: container.image,
        ...(container.command === undefined ? {} : { Entrypoint: container.command }),
        Labels: {
          ...kubeletLabels(pod, container.name),
          'io.kubernetes.docker.type': 'container',
          'io.kubernetes.sandbox.id': sandboxId,
        },
        HostConfig: { ...hostConfig(pod, settings), NetworkMode: `container:${sandboxId}` },
      });
      const { LogPath } = await json<{ LogPath: string }>('GET', `/containers/${id}/json`);
      linkLogs(pod, container, attempt, id, LogPath);
    },

    async removeContainer({ id }) {
      await json('DELETE', `/containers/${id}?force=1`);
    },

    async removePod(pod, graceSeconds) {
      for (const { id } of pod.containers) {
        await json('POST', `/containers/${id}/stop?t=${graceSeconds}`);
        await json('DELETE', `/containers/${id}?force=1`);
      }
      removeFromNetwork(settings, pod);
      await json('DELETE', `/containers/${pod.sandboxId}?force=1`);
      removeLogs(pod);
    },
  };
}

function hostConfig(pod: Pod, settings: KubeletSettings): Record<string, unknown> {
  return { CgroupParent: cgroupParent(pod.metadata.uid, settings.cgroupDriver), OomScoreAdj: -998 };
}

async function create(name: string, config: Record<string, unknown>): Promise<string> {
  const { Id } = await json<{ Id: string }>('POST', `/containers/create?name=${name}`, JSON.stringify(config));
  await json('POST', `/containers/${Id}/start`);
  return Id;
}

/** Instead of a pull: the lab has no registry, so the archive that it lends the node is loaded. */
async function ensureImage(image: string): Promise<void> {
  try {
    await json('GET', `/images/${image}/json`);
  } catch {
    await json('POST', '/images/load?quiet=1', readFileSync(imageFile(image)), 'application/x-tar');
  }
}

/** One request to Docker's socket; the caller knows the answer's shape from Docker's API 1.41. */
function json<T>(method: string, path: string, body: string | Buffer = '', type = 'application/json'): Promise<T> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: '/var/run/docker.sock', method, path: `/v1.41${path}`, timeout: 30_000 };
    const headers = { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) };
    const request = httpRequest({ ...options, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        const code = response.statusCode ?? 0;
        if (code >= 400) reject(new Error(`docker: ${method} ${path}: ${code} ${text.trim()}`));
        else resolve((text.startsWith('{') || text.startsWith('[') ? JSON.parse(firstLine(text)) : undefined) as T);
      });
    });
    request.on('timeout', () => request.destroy(new Error(`docker did not answer ${path}`)));
    request.on('error', (error) => {
      reject(new Error(`Cannot connect to the Docker daemon at unix:///var/run/docker.sock: ${error.message}`));
    });
    request.end(body);
  });
}

/** `images/load` answers with a line of JSON per event; everything else with a single value. */
function firstLine(text: string): string {
  return text.split('\r\n')[0] ?? text;
}

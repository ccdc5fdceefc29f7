import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { call, GrpcError, unimplemented } from './grpc.ts';
import { imageFile } from './images.ts';
import {
  type Container,
  cgroupParent,
  kubeletLabels,
  logFolder,
  type Pod,
  type RunningPod,
  type Runtime,
} from './pods.ts';
import {
  type Decoded,
  decode,
  encode,
  type Message,
  mapField,
  messageFields,
  numberField,
  readMap,
  textField,
} from './protobuf.ts';

/** The runtime behind a CRI socket. Field numbers are those of k8s.io/cri-api. */
export async function criRuntime(socket: string, cgroupDriver: string): Promise<Runtime> {
  const api = await negotiate(socket);
  const request = async (method: string, message: Message): Promise<Decoded> => {
    const service = method.includes('Image') ? 'ImageService' : 'RuntimeService';
    return decode(await call(socket, `/runtime.${api}.${service}/${method}`, encode(message)));
  };
  const name = textField(await request('Version', {}), 2);

  return {
    scheme: name,
    async version() {
      const [status] = messageFields(await request('Status', {}), 1);
      const unmet = (status === undefined ? [] : messageFields(status, 1)).find((entry) => numberField(entry, 2) === 0);
      if (unmet !== undefined) {
        throw new Error(
          `container runtime status check may not have completed: ${textField(unmet, 1)}=false reason:${textField(unmet, 3)} message:${textField(unmet, 4)}`,
        );
      }
      const version = await request('Version', {});
      return `${textField(version, 2)}://${textField(version, 3)}`;
    },

    async list() {
      const sandboxes = messageFields(await request('ListPodSandbox', {}), 1);
      const containers = messageFields(await request('ListContainers', {}), 1);
      return Promise.all(
        sandboxes.map(async (sandbox): Promise<RunningPod> => {
          const sandboxId = textField(sandbox, 1);
          const labels = readMap(sandbox, 5);
          const isReady = numberField(sandbox, 3) === 0;
          return {
            uid: labels['io.kubernetes.pod.uid'] ?? '',
            name: labels['io.kubernetes.pod.name'] ?? '',
            namespace: labels['io.kubernetes.pod.namespace'] ?? '',
            sandboxId,
            isReady,
            ip: isReady ? await sandboxIp(sandboxId) : '',
            containers: containers
              .filter((container) => textField(container, 2) === sandboxId)
              .map((container) => ({
                id: textField(container, 1),
                name: readMap(container, 8)['io.kubernetes.container.name'] ?? '',
                isRunning: numberField(container, 6) === 1,
              })),
          };
        }),
      );
    },

    async startSandbox(pod) {
      mkdirSync(logFolder(pod.metadata), { recursive: true });
      return textField(await request('RunPodSandbox', { 1: sandboxConfig(pod, cgroupDriver) }), 1);
    },

    async startContainer(pod, sandboxId, container, attempt) {
      await ensureImage(container.image);
      const created = await request('CreateContainer', {
        1: sandboxId,
        2: containerConfig(pod, container, attempt),
        3: sandboxConfig(pod, cgroupDriver),
      });
      const id = textField(created, 1);
      await request('StartContainer', { 1: id });
    },

    async removeContainer({ id }) {
      await request('RemoveContainer', { 1: id });
    },

    async removePod(pod, graceSeconds) {
      for (const { id } of pod.containers) await request('StopContainer', { 1: id, 2: graceSeconds });
      await request('StopPodSandbox', { 1: pod.sandboxId });
      await request('RemovePodSandbox', { 1: pod.sandboxId });
      rmSync(logFolder(pod), { recursive: true, force: true });
    },
  };

  async function sandboxIp(id: string): Promise<string> {
    const [status] = messageFields(await request('PodSandboxStatus', { 1: id }), 1);
    const [network] = status === undefined ? [] : messageFields(status, 5);
    return network === undefined ? '' : textField(network, 1);
  }

  /** Instead of a pull: the lab has no registry, so the archive that it lends the node is imported. */
  async function ensureImage(image: string): Promise<void> {
    const present = messageFields(await request('ImageStatus', { 1: { 1: image } }), 1);
    if (present.length > 0) return;
    const address = ['--address', socket, '--namespace', 'k8s.io'];
    execFileSync('ctr', [...address, 'images', 'import', imageFile(image)], { stdio: 'pipe' });
  }
}

/** v1 when the runtime has it, v1alpha2 when it does not, as kubelet 1.23 to 1.25 ask. */
async function negotiate(socket: string): Promise<'v1' | 'v1alpha2'> {
  try {
    await call(socket, '/runtime.v1.RuntimeService/Version', encode({}), 5000);
    return 'v1';
  } catch (error) {
    if (!(error instanceof GrpcError) || error.code !== unimplemented) throw error;
    await call(socket, '/runtime.v1alpha2.RuntimeService/Version', encode({}), 5000);
    return 'v1alpha2';
  }
}

function sandboxConfig(pod: Pod, cgroupDriver: string): Message {
  const { name, namespace, uid } = pod.metadata;
  const { 'io.kubernetes.container.name': _, ...labels } = kubeletLabels(pod, '');
  const node = 2;
  return {
    1: { 1: name, 2: uid, 3: namespace },
    2: pod.spec.hostNetwork ? '' : name,
    3: logFolder(pod.metadata),
    6: mapField({ ...pod.metadata.labels, ...labels }),
    8: { 1: cgroupParent(uid, cgroupDriver), 2: { 1: { 1: pod.spec.hostNetwork ? node : 0 } } },
  };
}

function containerConfig(pod: Pod, container: Container, attempt: number): Message {
  return {
    1: { 1: container.name, 2: attempt },
    2: { 1: container.image },
    3: [...(container.command ?? [])],
    9: mapField(kubeletLabels(pod, container.name)),
    11: `${container.name}/${attempt}.log`,
  };
}

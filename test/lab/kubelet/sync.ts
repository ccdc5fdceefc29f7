import type { ApiClient } from './api-client.ts';
import { log } from './log.ts';
import type { Pod, RunningPod, Runtime } from './pods.ts';
import type { KubeletSettings } from './settings.ts';
import { createMirror, isMirror, readStaticPods } from './static-pods.ts';

/** Keeps the node's pods as the API server and the manifests want them; one round per call. */
export function podSync(settings: KubeletSettings, runtime: Runtime, api: ApiClient): () => Promise<void> {
  const restarts = new Map<string, number>();
  const reported = new Map<string, string>();
  let known: readonly Pod[] = [];

  return async () => {
    const selector = `fieldSelector=spec.nodeName=${settings.nodeName}`;
    // While the API server is away the kubelet works with what it heard last.
    const answer = await api('GET', `/api/v1/pods?${selector}`).catch(() => undefined);
    if (answer !== undefined) known = (answer as { items: Pod[] }).items;

    const statics = readStaticPods(settings);
    const assigned = known.filter((pod) => !isMirror(pod));
    const wanted = [...statics, ...assigned.filter((pod) => pod.metadata.deletionTimestamp === undefined)];
    const running = await runtime.list();
    for (const pod of running) await attempt(pod.name, () => removeUnless(pod, wanted));
    for (const pod of wanted) await attempt(pod.metadata.name, () => keep(pod, running));
    for (const pod of assigned) await attempt(pod.metadata.name, () => confirmEnd(pod));
    const mirrors = new Set(known.filter(isMirror).map(({ metadata }) => metadata.name));
    for (const pod of statics) {
      if (answer !== undefined && !mirrors.has(pod.metadata.name))
        await attempt(pod.metadata.name, () => createMirror(api, pod));
    }
    for (const pod of wanted) await attempt(pod.metadata.name, () => report(pod));
  };

  async function removeUnless(pod: RunningPod, wanted: readonly Pod[]): Promise<void> {
    const isWanted = wanted.some(({ metadata }) => metadata.uid === pod.uid);
    if (isWanted && pod.isReady) return;
    const spec = known.find(({ metadata }) => metadata.uid === pod.uid)?.spec;
    await runtime.removePod(pod, spec?.terminationGracePeriodSeconds ?? 2);
    log('I', `removed pod ${pod.namespace}/${pod.name}`);
  }

  async function keep(pod: Pod, running: readonly RunningPod[]): Promise<void> {
    const present = running.find(({ uid, isReady }) => uid === pod.metadata.uid && isReady);
    const sandboxId = present?.sandboxId ?? (await runtime.startSandbox(pod));
    for (const container of pod.spec.containers) {
      const now = present?.containers.find(({ name }) => name === container.name);
      if (now?.isRunning) continue;
      const key = `${pod.metadata.uid}/${container.name}`;
      if (now !== undefined) {
        restarts.set(key, (restarts.get(key) ?? 0) + 1);
        await runtime.removeContainer(now);
      }
      await runtime.startContainer(pod, sandboxId, container, restarts.get(key) ?? 0);
      log('I', `started container ${container.name} of pod ${pod.metadata.namespace}/${pod.metadata.name}`);
    }
  }

  /** Tells the API server that a pod which had to go is gone. */
  async function confirmEnd({ metadata }: Pod): Promise<void> {
    if (metadata.deletionTimestamp === undefined) return;
    const isThere = (await runtime.list()).some(({ uid }) => uid === metadata.uid);
    if (!isThere) await api('DELETE', `${podPath(metadata)}?gracePeriodSeconds=0`);
  }

  async function report(pod: Pod): Promise<void> {
    const { uid } = pod.metadata;
    const now = (await runtime.list()).find((candidate) => candidate.uid === uid && candidate.isReady);
    const statuses = pod.spec.containers.map(({ name, image }) => {
      const container = now?.containers.find((candidate) => candidate.name === name);
      const isRunning = container?.isRunning ?? false;
      return {
        name,
        image,
        ready: isRunning,
        started: isRunning,
        restartCount: restarts.get(`${uid}/${name}`) ?? 0,
        ...(container === undefined ? {} : { containerID: `${runtime.scheme}://${container.id}` }),
        state: isRunning ? { running: {} } : { waiting: { reason: 'ContainerCreating' } },
      };
    });
    const isReady = statuses.every(({ ready }) => ready);
    const status = {
      phase: isReady ? 'Running' : 'Pending',
      podIP: pod.spec.hostNetwork ? settings.nodeIp : (now?.ip ?? ''),
      hostIP: settings.nodeIp,
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
        type,
        status: isReady ? 'True' : 'False',
      })),
      containerStatuses: statuses,
    };
    const text = JSON.stringify(status);
    if (reported.get(uid) === text && known.some(({ metadata }) => metadata.name === pod.metadata.name)) return;
    await api('PATCH', `${podPath(pod.metadata)}/status`, { status }, 'application/merge-patch+json');
    reported.set(uid, text);
  }
}

/** One pod's trouble is logged and keeps no other pod waiting. */
async function attempt(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? ` ${String(error.stderr)}` : '';
    log(
      'E',
      `"Error syncing pod, skipping" pod="${name}" err="${error instanceof Error ? error.message : String(error)}${stderr}"`,
    );
  }
}

function podPath({ namespace, name }: Pod['metadata']): string {
  return `/api/v1/namespaces/${namespace}/pods/${name}`;
}

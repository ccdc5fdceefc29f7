/** A pod that should run here, as far as the stand-in reads it. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly hostNetwork?: boolean;
    readonly nodeName?: string;
    readonly terminationGracePeriodSeconds?: number;
    readonly containers: readonly Container[];
  };
}

/** A container of a pod. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
}

/** A pod as the runtime knows it. */
export interface RunningPod {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly sandboxId: string;
  /** Whether its sandbox runs. */
  readonly isReady: boolean;
  readonly ip: string;
  readonly containers: readonly RunningContainer[];
}

/** A container as the runtime knows it. */
export interface RunningContainer {
  readonly id: string;
  readonly name: string;
  readonly isRunning: boolean;
}

/** A container runtime: Docker by its own API, or anything that speaks CRI. */
export interface Runtime {
  /** The name in front of container ids and of the runtime's version. */
  readonly scheme: string;
  /** For the node's CONTAINER-RUNTIME column; throws while the runtime is down. */
  version(): Promise<string>;
  list(): Promise<RunningPod[]>;
  startSandbox(pod: Pod): Promise<string>;
  /** `attempt` counts the restarts; each has a log file of its own. */
  startContainer(pod: Pod, sandboxId: string, container: Container, attempt: number): Promise<void>;
  removeContainer(container: RunningContainer): Promise<void>;
  removePod(pod: RunningPod, graceSeconds: number): Promise<void>;
}

/** The labels that kubelet puts on every container and sandbox. */
export function kubeletLabels({ metadata }: Pod, containerName: string): Record<string, string> {
  return {
    'io.kubernetes.pod.name': metadata.name,
    'io.kubernetes.pod.namespace': metadata.namespace,
    'io.kubernetes.pod.uid': metadata.uid,
    'io.kubernetes.container.name': containerName,
  };
}

/** The folder of a pod's logs. */
export function logFolder(pod: { readonly namespace: string; readonly name: string; readonly uid: string }): string {
  return `/var/log/pods/${pod.namespace}_${pod.name}_${pod.uid}`;
}

/** The pod's cgroup, written as the driver wants it; all pods of the lab are best effort. */
export function cgroupParent(uid: string, driver: string): string {
  if (driver !== 'systemd') return `/kubepods/besteffort/pod${uid}`;
  // systemd reads a dash as a level of its tree.
  return `kubepods-besteffort-pod${uid.replaceAll('-', '_')}.slice`;
}

import { mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Container, logFolder, type Pod } from './pods.ts';

const containerLogs = '/var/log/containers';

/** The two links to Docker's log that dockershim makes, and that dangle once the container is gone. */
export function linkLogs(pod: Pod, container: Container, attempt: number, id: string, logPath: string): void {
  const folder = join(logFolder(pod.metadata), container.name);
  const podLog = join(folder, `${attempt}.log`);
  mkdirSync(folder, { recursive: true });
  mkdirSync(containerLogs, { recursive: true });
  link(logPath, podLog);
  const { name, namespace } = pod.metadata;
  link(podLog, join(containerLogs, `${name}_${namespace}_${container.name}-${id}.log`));
}

/** What kubelet removes with a pod. */
export function removeLogs(pod: { readonly namespace: string; readonly name: string; readonly uid: string }): void {
  const folder = logFolder(pod);
  for (const file of readdirSync(containerLogs)) {
    const path = join(containerLogs, file);
    if (readlinkSync(path).startsWith(`${folder}/`)) rmSync(path);
  }
  rmSync(folder, { recursive: true, force: true });
}

function link(target: string, path: string): void {
  rmSync(path, { force: true });
  symlinkSync(target, path);
}

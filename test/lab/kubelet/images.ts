import { existsSync } from 'node:fs';

const archives: Readonly<Record<string, string>> = {
  'k8s.gcr.io/pause:3.6': 'pause-3.6.tar',
  'docker.io/library/lab-workload:1': 'workload.tar',
};

/** The archive of an image that the lab lends the node; it stands for a registry. */
export function imageFile(image: string): string {
  const path = `/opt/runbook-lab/images/${archives[image] ?? 'none'}`;
  if (!existsSync(path)) throw new Error(`failed to pull image "${image}": there is no registry in the lab`);
  return path;
}

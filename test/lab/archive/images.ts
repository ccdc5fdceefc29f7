import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageArchive, imageArchive } from './image.ts';
import type { TarEntry } from './tar.ts';

/** The images that the lab knows; nothing is ever pulled. */
export const imageNames = {
  /** What kubelet 1.23 with dockershim uses. */
  dockerPause: 'k8s.gcr.io/pause:3.6',
  /** What the containerd configuration asks for. */
  pause: 'registry.k8s.io/pause:3.9',
  workload: 'docker.io/library/lab-workload:1',
} as const;

/** Leaves at once when told to; a shell as process 1 would otherwise wait for the end of every grace period. */
const pauseScript = `#!/bin/sh
trap 'exit 0' TERM INT
while :; do sleep 3600 & wait $!; done
`;

const workloadScript = `#!/bin/sh
trap 'exit 0' TERM INT
echo "workload $(hostname) started"
while :; do sleep 3600 & wait $!; done
`;

/** The lab's images by file name, made around the root file system's static busybox. */
export function labImages(rootFs: string): Record<string, ImageArchive> {
  const busybox = readFileSync(join(rootFs, 'usr/bin/busybox'));
  const files = (script: string): TarEntry[] => [
    { path: 'bin/', mode: 0o755 },
    { path: 'bin/busybox', mode: 0o755, content: busybox },
    ...['sh', 'sleep', 'echo', 'hostname', 'cat', 'ls', 'ping', 'wget'].map((applet) => ({
      path: `bin/${applet}`,
      mode: 0o777,
      linkTarget: 'busybox',
    })),
    { path: 'start', mode: 0o755, content: Buffer.from(script) },
    { path: 'tmp/', mode: 0o1777 },
  ];
  return {
    'pause-3.6.tar': imageArchive({
      reference: imageNames.dockerPause,
      files: files(pauseScript),
      entrypoint: ['/start'],
    }),
    'pause-3.9.tar': imageArchive({ reference: imageNames.pause, files: files(pauseScript), entrypoint: ['/start'] }),
    'workload.tar': imageArchive({
      reference: imageNames.workload,
      files: files(workloadScript),
      entrypoint: ['/start'],
    }),
  };
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { imageNames } from './archive/images.ts';
import { type Artifacts, versions } from './archive/releases.ts';
import { findProgram } from './host-packages.ts';
import type { LabNode } from './node/nodes.ts';
import { artifactPort, bridge, kubeletVersion, paths } from './settings.ts';

/** The variables of the group `nodes`, for the containerd playbook. crictl is missing: Debian 12 has none. */
export function inventoryVariables(artifacts: Artifacts): Record<string, string> {
  const base = `http://${bridge.address}:${artifactPort}`;
  return {
    containerd_version: versions.containerd,
    containerd_url: `${base}/${artifacts.containerd.file}`,
    containerd_sha256: artifacts.containerd.sha256,
    runc_version: versions.runc,
    runc_url: `${base}/${artifacts.runc.file}`,
    runc_sha256: artifacts.runc.sha256,
    cni_version: versions.cni,
    cni_url: `${base}/${artifacts.cni.file}`,
    cni_sha256: artifacts.cni.sha256,
    cni_bin_dir: '/opt/cni/bin',
    pause_image: imageNames.pause,
    pause_archive: artifacts.pause.path,
    pause_sha256: artifacts.pause.sha256,
    pause_digest: artifacts.pauseDigest,
    kubelet_version: kubeletVersion,
    kubectl: findProgram('kubectl') ?? 'kubectl',
    kubeconfig: paths.kubeconfig,
    // The lab's machine has no CAP_SYS_RESOURCE; never set this on a real node.
    restrict_oom_score_adj: 'true',
  };
}

/** Writes inventories/lab.ini, as Ansible reads it. */
export function writeInventory(nodes: readonly LabNode[], artifacts: Artifacts): void {
  const hosts = nodes.map(({ name, address }) => `${name} ansible_host=${address} kube_node_name=${name}`);
  const connection = {
    ansible_user: 'root',
    ansible_ssh_private_key_file: paths.key,
    ansible_ssh_common_args: `'-o UserKnownHostsFile=${paths.knownHosts}'`,
  };
  const variables = Object.entries({ ...connection, ...inventoryVariables(artifacts) });
  const lines = [
    '# Written by `npm run lab -- up`; changes are lost.',
    '[nodes]',
    ...hosts,
    '',
    '[nodes:vars]',
    ...variables.map(([name, value]) => `${name}=${value}`),
    '',
  ];
  mkdirSync(dirname(paths.inventory), { recursive: true });
  writeFileSync(paths.inventory, lines.join('\n'));
}

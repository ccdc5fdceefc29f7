import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { opsUser, paths } from '../settings.ts';
import { hostKeyPath } from '../ssh.ts';
import { kubeletFiles } from './kubelet-files.ts';
import type { LabNode } from './nodes.ts';

/** Text files by their path in the node. */
export type NodeFiles = Readonly<Record<string, string>>;

/** Writes into a mounted node what makes it this node, and what a kubeadm node with Docker has. */
export function writeNodeFiles(node: LabNode, all: readonly LabNode[]): void {
  const files = { ...identity(node, all), ...boot(node, all), ...docker, ...cni(node), ...kubeletFiles(node) };
  for (const [path, content] of Object.entries(files)) {
    const target = join(node.root, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
  enable(node, 'lab-mounts.service', 'sysinit.target');
  enable(node, 'lab-network.service', 'multi-user.target');
  enable(node, '/lib/systemd/system/kubelet.service', 'multi-user.target');
  writeKeys(node);
}

function identity(node: LabNode, all: readonly LabNode[]): NodeFiles {
  return {
    'etc/hostname': `${node.name}\n`,
    'etc/hosts': ['127.0.0.1 localhost', ...all.map(({ address, name }) => `${address} ${name}`), ''].join('\n'),
    // The same at every boot; an empty file would have systemd choose one each time the lab comes up.
    'etc/machine-id': `${createHash('md5').update(`runbook-lab ${node.name}`).digest('hex')}\n`,
    'etc/resolv.conf': '# The lab has no name server.\n',
  };
}

/**
 * systemd-networkd would wait for udev for ever once /sys is writable, so a oneshot sets the address. Docker, containerd
 * and kubelet need the version 1 cgroups writable and the root shared, which nspawn does not do.
 */
function boot(node: LabNode, all: readonly LabNode[]): NodeFiles {
  const others = all.filter(({ name }) => name !== node.name);
  const routes = others.map(({ podSubnet, address }) => `ExecStart=ip route replace ${podSubnet} via ${address}\n`);
  return {
    // Shims outlive their managers on purpose and would hold every reboot for a minute and a half.
    'etc/systemd/system.conf.d/lab.conf': '[Manager]\nDefaultTimeoutStopSec=15s\n',
    'etc/systemd/system/lab-mounts.service': `[Unit]
Description=Lab: writable cgroups and a shared root, as on a real machine
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=mount --make-rshared /
ExecStart=sh -c 'for dir in /sys/fs/cgroup/*; do mountpoint -q $dir && mount -o remount,bind,rw,nosuid,nodev,noexec $dir; done; :'
`,
    'etc/systemd/system/lab-network.service': `[Unit]
Description=Lab: the address of this node
DefaultDependencies=no
Before=network-pre.target network.target network-online.target
Wants=network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=ip link set lo up
ExecStart=ip address replace ${node.address}/24 dev host0
ExecStart=ip link set host0 up
${routes.join('')}
[Install]
WantedBy=multi-user.target
`,
  };
}

const docker: NodeFiles = {
  // What kubeadm's documentation gave for Docker.
  'etc/docker/daemon.json': `{
  "exec-opts": ["native.cgroupdriver=systemd"],
  "log-driver": "json-file",
  "log-opts": { "max-size": "100m" },
  "storage-driver": "overlay2"
}
`,
  // What the containerd.io package ships: containerd as Docker's backend only.
  'etc/containerd/config.toml': 'disabled_plugins = ["cri"]\n',
};

function cni(node: LabNode): NodeFiles {
  const config = {
    cniVersion: '0.4.0',
    name: 'lab',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: { type: 'host-local', ranges: [[{ subnet: node.podSubnet }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  return { 'etc/cni/net.d/10-lab.conflist': `${JSON.stringify(config, null, 2)}\n` };
}

function enable(node: LabNode, unit: string, target: string): void {
  const dir = join(node.root, 'etc/systemd/system', `${target}.wants`);
  mkdirSync(dir, { recursive: true });
  symlinkSync(unit.startsWith('/') ? unit : `../${unit}`, join(dir, unit.slice(unit.lastIndexOf('/') + 1)));
}

function writeKeys(node: LabNode): void {
  for (const [suffix, mode] of [
    ['', 0o600],
    ['.pub', 0o644],
  ] as const) {
    const target = join(node.root, `etc/ssh/ssh_host_ed25519_key${suffix}`);
    copyFileSync(`${hostKeyPath(node)}${suffix}`, target);
    chmodSync(target, mode);
  }
  for (const home of ['root', `home/${opsUser.name}`]) {
    const dir = join(node.root, home, '.ssh');
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    copyFileSync(`${paths.key}.pub`, join(dir, 'authorized_keys'));
    chmodSync(join(dir, 'authorized_keys'), 0o600);
  }
}

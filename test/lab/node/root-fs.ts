import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../progress.ts';
import { run } from '../run.ts';
import { cacheDir, opsUser } from '../settings.ts';

/** No Python, as runbook needs none; no recommended packages, as they would only slow the boot down. */
const packages = [
  ...['systemd', 'systemd-sysv', 'dbus', 'openssh-server', 'sudo', 'iproute2', 'iputils-ping', 'procps', 'kmod'],
  ...['ca-certificates', 'curl', 'iptables', 'docker.io', 'containerd', 'runc', 'containernetworking-plugins'],
  ...['busybox-static', 'libstdc++6'],
];

const flags = [
  '--variant=minbase',
  '--skip=check/qemu',
  '--aptopt=APT::Install-Recommends "false"',
  ...['doc', 'man', 'locale', 'info'].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
];

/**
 * This kind of machine has no CAP_SYS_RESOURCE, so a negative oom score cannot be written and runc fails with
 * "can't get final child's PID from pipe: EOF". dockershim gives its sandboxes -998; containerd has an option for it,
 * Docker has none. So Debian's runc is wrapped; nothing else in the node knows.
 */
const runcWrapper = `#!/bin/sh
previous=
for argument in "$@"; do
  case "$previous" in --bundle) sed -i 's/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/' "$argument/config.json" ;; esac
  previous=$argument
done
exec /usr/lib/runbook-lab/runc "$@"
`;

/** Where the root file system for the present recipe is kept, and where the archives made from it go. */
export function rootFsPaths(): { readonly rootFs: string; readonly artifacts: string } {
  const recipe = JSON.stringify([packages, flags, runcWrapper, opsUser, 'bookworm', 1]);
  const dir = join(cacheDir, createHash('sha256').update(recipe).digest('hex').slice(0, 12));
  return { rootFs: join(dir, 'rootfs'), artifacts: join(dir, 'artifacts') };
}

/** Builds the root file system that all nodes share, unless the cache has it. Half a minute, 500 MB. */
export async function ensureRootFs(): Promise<void> {
  const { rootFs } = rootFsPaths();
  if (existsSync(rootFs)) return;
  say('building the root file system from Debian packages (once; about a minute)');
  const partial = `${rootFs}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await run('mmdebstrap', [...flags, `--include=${packages.join(',')}`, 'bookworm', partial], { timeoutMs: 900_000 });
  await customize(partial);
  renameSync(partial, rootFs);
}

/** Where the unwrapped runc is; the release archive is made from it. */
export function realRunc(rootFs: string): string {
  return join(rootFs, 'usr/lib/runbook-lab/runc');
}

/** What is the same on every node and not in a package. */
async function customize(root: string): Promise<void> {
  // Host keys are made per node, so that two nodes never share one.
  await run('sh', ['-c', 'rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/machine-id', 'sh', root]);
  mkdirSync(join(root, 'usr/lib/runbook-lab'), { recursive: true });
  renameSync(join(root, 'usr/sbin/runc'), realRunc(root));
  writeFileSync(join(root, 'usr/sbin/runc'), runcWrapper, { mode: 0o755 });
  // The kubernetes-cni package puts the plugins here; Debian's own folder is unknown to kubelet's defaults.
  cpSync(join(root, 'usr/lib/cni'), join(root, 'opt/cni/bin'), { recursive: true });
  await run('chroot', [root, 'useradd', '--create-home', '--shell', '/bin/bash', '--groups', 'sudo', opsUser.name]);
  await run('chroot', [root, 'chpasswd'], { input: `${opsUser.name}:${opsUser.password}\n` });
}

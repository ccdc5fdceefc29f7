import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cableName, removeCable } from '../network.ts';
import { waitFor } from '../progress.ts';
import { attempt, run } from '../run.ts';
import { bridge, nodeLabDir, opsUser } from '../settings.ts';
import { ssh } from '../ssh.ts';
import { destroyCgroups, insideCgroups } from './cgroups.ts';
import { writeNodeFiles } from './files.ts';
import type { LabNode } from './nodes.ts';
import { rootFsPaths } from './root-fs.ts';

/** Folders of the host's file system bound into a node: overlayfs cannot be stacked on an overlay. */
const ownFolders = ['var/lib/docker', 'var/lib/containerd', 'var/lib/kubelet'];

/** What the lab lends every node, read-only, under /opt/runbook-lab. */
export interface Loans {
  readonly [nameInNode: string]: string;
}

/** Makes a fresh node on the shared root file system and starts it; does not wait for it. */
export async function bootNode(node: LabNode, all: readonly LabNode[], kubelet: string, loans: Loans): Promise<void> {
  for (const dir of ['upper', 'work', 'merged', ...ownFolders]) mkdirSync(join(node.dir, dir), { recursive: true });
  const layers = `lowerdir=${rootFsPaths().rootFs},upperdir=${node.dir}/upper,workdir=${node.dir}/work`;
  await run('mount', ['-t', 'overlay', `runbook-${node.name}`, '-o', layers, node.root]);
  for (const folder of ownFolders) {
    mkdirSync(join(node.root, folder), { recursive: true });
    await run('mount', ['--bind', join(node.dir, folder), join(node.root, folder)]);
  }
  writeNodeFiles(node, all);
  await run('install', ['-m', '755', kubelet, join(node.root, 'usr/bin/kubelet')]);
  await run('chroot', [node.root, 'chown', '-R', `${opsUser.name}:`, `/home/${opsUser.name}`]);
  await removeCable(node.name);

  const binds = [
    ...ownFolders.map((folder) => `--bind=${join(node.dir, folder)}:/${folder}`),
    ...Object.entries(loans).map(([name, path]) => `--bind-ro=${path}:${nodeLabDir}/${name}`),
  ];
  const log = openSync(join(node.dir, 'console.log'), 'a');
  const nspawn = ['systemd-nspawn', ...nspawnFlags, '-D', node.root, '-M', node.name, ...binds];
  // With --keep-unit nspawn leaves a reboot to its caller: 133 says that one is wanted. The old cable has to go first.
  const again = `while :; do "$@"; [ $? -eq 133 ] || exit; ip link delete ${cableName(node.name)}; done`;
  const [program, args] = insideCgroups(node.name, ['sh', '-c', again, 'sh', ...nspawn]);
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      ...process.env,
      SYSTEMD_NSPAWN_USE_CGNS: '1',
      SYSTEMD_NSPAWN_API_VFS_WRITABLE: '1',
      // The container managers of these versions are at home on version 1; a unified machine has nothing else to give.
      SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: existsSync('/sys/fs/cgroup/cgroup.procs') ? '1' : '0',
    },
  });
  child.unref();
}

const nspawnFlags = [
  ...['--quiet', '--boot', '--register=no', '--keep-unit', '--console=pipe', `--network-bridge=${bridge.name}`],
  ...['--capability=all', '--system-call-filter=@keyring bpf', '--resolv-conf=off', '--timezone=off'],
  '--link-journal=no',
];

/** Waits until systemd has finished its start and Docker answers. */
export async function awaitNode(node: LabNode, limitMs: number): Promise<void> {
  try {
    await waitFor(`${node.name} to be up`, limitMs, async () => {
      const { code, stdout } = await ssh(node, 'systemctl is-system-running --wait; docker version -f ok', {
        timeoutMs: limitMs,
      });
      if (stdout.startsWith('degraded')) throw new Error(`failed units on ${node.name}: ${await failedUnits(node)}`);
      return code === 0 && stdout.startsWith('running') ? true : undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}\nthe console's last lines:\n${consoleTail(node)}`);
  }
}

/**
 * Stops a node at once and throws its disk away. A clean shutdown would wait up to 90 s for containers,
 * for the sake of files that nobody will read.
 */
export async function destroyNode(node: Pick<LabNode, 'name' | 'dir'>): Promise<void> {
  await destroyCgroups(node.name);
  await removeCable(node.name);
  await unmountBelow(node.dir);
  rmSync(node.dir, { recursive: true, force: true });
}

/** The last lines of a node's console. */
export function consoleTail(node: LabNode, lines = 15): string {
  const path = join(node.dir, 'console.log');
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') : '(no console)';
}

async function failedUnits(node: LabNode): Promise<string> {
  return (await ssh(node, 'systemctl --failed --plain --no-legend')).stdout.trim();
}

async function unmountBelow(dir: string): Promise<void> {
  const mounted = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${dir}/`));
  for (const path of mounted.reverse()) await attempt('umount', ['--lazy', path]);
}

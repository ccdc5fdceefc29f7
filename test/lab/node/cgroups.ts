import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../progress.ts';

const mountPoint = '/sys/fs/cgroup';

/**
 * One cgroup per node in every hierarchy. Without it the nodes share the root cgroup, and one node's kubelet or
 * systemd removes another's groups. Its members are also how a crashed lab's processes are found again.
 */
function createCgroups(nodeName: string): string[] {
  return hierarchies().map((hierarchy) => {
    const group = join(hierarchy, groupName(nodeName));
    mkdirSync(group, { recursive: true });
    if (existsSync(join(group, 'cpuset.mems')) && existsSync(join(group, 'cgroup.clone_children'))) {
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        writeFileSync(join(group, file), readFileSync(join(hierarchy, file)));
      }
      writeFileSync(join(group, 'cgroup.clone_children'), '1');
    }
    return group;
  });
}

/**
 * A command that enters the cgroups and then becomes `command`. A shell does it before the program starts, since a
 * process that runs already may have children that stay behind.
 */
export function insideCgroups(nodeName: string, command: readonly string[]): readonly [string, readonly string[]] {
  const enter = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"';
  return ['sh', ['-c', enter, 'sh', ...createCgroups(nodeName), '--', ...command]];
}

/** Kills everything in the node's cgroups and removes them. */
export async function destroyCgroups(nodeName: string): Promise<void> {
  await waitFor(`the processes of ${nodeName} to end`, 20_000, async () => {
    const members = cgroupMembers(nodeName);
    for (const pid of members) kill(pid);
    return members.length === 0 ? true : undefined;
  });
  for (const hierarchy of hierarchies()) removeTree(join(hierarchy, groupName(nodeName)));
}

/** The processes in the node's cgroups, the launcher and everything inside the node. */
function cgroupMembers(nodeName: string): number[] {
  const members = hierarchies().flatMap((hierarchy) => membersBelow(join(hierarchy, groupName(nodeName))));
  return [...new Set(members)];
}

/** The name under which the lab's own processes on this machine have their cgroups. */
export const servicesGroup = 'services';

/** The names of nodes that have a cgroup, whether or not a state file remembers them. */
export function nodesWithCgroups(): string[] {
  const names = hierarchies()
    .flatMap((hierarchy) => folders(hierarchy))
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
  return [...new Set(names)].filter((name) => name !== servicesGroup);
}

const prefix = 'runbook-lab-';

function groupName(nodeName: string): string {
  return `${prefix}${nodeName}`;
}

/** Version 1 controllers, the name=systemd hierarchy and the unified one; on a unified machine just the root. */
function hierarchies(): string[] {
  if (existsSync(join(mountPoint, 'cgroup.procs'))) return [mountPoint];
  return folders(mountPoint)
    .map((name) => join(mountPoint, name))
    .filter((path) => existsSync(join(path, 'cgroup.procs')));
}

function membersBelow(group: string): number[] {
  if (!existsSync(group)) return [];
  const here = readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  // 0 is a process that is not visible from here.
  return [...here.filter((pid) => pid > 0), ...folders(group).flatMap((name) => membersBelow(join(group, name)))];
}

function removeTree(group: string): void {
  if (!existsSync(group)) return;
  for (const name of folders(group)) removeTree(join(group, name));
  rmdirSync(group);
}

function folders(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

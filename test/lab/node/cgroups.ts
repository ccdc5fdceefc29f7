import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const mountPoint = '/sys/fs/cgroup';

/**
 * One cgroup per node in every hierarchy. Without it the nodes share the root cgroup, and one node's kubelet or
 * systemd removes another's groups. Its members are also how a crashed lab's processes are found again.
 */
export function createCgroups(nodeName: string): string[] {
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

/** The processes in the node's cgroups, the launcher and everything inside the node. */
export function cgroupMembers(nodeName: string): number[] {
  const members = hierarchies().flatMap((hierarchy) => membersBelow(join(hierarchy, groupName(nodeName))));
  return [...new Set(members)];
}

/** Removes the node's cgroups; they have to be empty. */
export function removeCgroups(nodeName: string): void {
  for (const hierarchy of hierarchies()) removeTree(join(hierarchy, groupName(nodeName)));
}

/** The names of nodes that have a cgroup, whether or not a state file remembers them. */
export function nodesWithCgroups(): string[] {
  const names = hierarchies()
    .flatMap((hierarchy) => folders(hierarchy))
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
  return [...new Set(names)];
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

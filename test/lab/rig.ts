import type { Faults, Write } from './api/faults.ts';
import { apiServerUrl } from './control-plane.ts';
import { digestOf } from './digest.ts';
import { findProgram } from './host-packages.ts';
import { reset, up } from './lab.ts';
import { setCable } from './network.ts';
import { destroyCgroups } from './node/cgroups.ts';
import { awaitNode } from './node/machine.ts';
import { type LabNode, labNodes } from './node/nodes.ts';
import { waitFor } from './progress.ts';
import { attempt, type Result } from './run.ts';
import { readyRuntime } from './services.ts';
import { opsUser, paths } from './settings.ts';
import { ssh, sshArguments } from './ssh.ts';
import { readState } from './state.ts';

/** The lab as tests use it. Nodes go by their names. */
export const lab = {
  inventoryPath: paths.inventory,
  kubeconfig: paths.kubeconfig,
  keyPath: paths.key,
  knownHostsPath: paths.knownHosts,
  opsUser,

  /** The names of the nodes of the lab that is up. */
  get nodes(): string[] {
    return labNodes(readState()?.nodeCount ?? 0).map(({ name }) => name);
  },

  /** The address of a node. */
  address(name: string): string {
    return nodeNamed(name).address;
  },

  /** Boots the lab unless it is up. */
  async ensureUp(nodeCount = 3): Promise<void> {
    await up(nodeCount);
  },

  /** Fresh nodes on Docker and the API server's first objects, in a few seconds. */
  reset,

  /** What a shell command prints on a node, whatever its exit code; throws only when ssh itself fails. */
  async ssh(name: string, command: string): Promise<string> {
    const { code, stdout, stderr } = await ssh(nodeNamed(name), command);
    if (code === 255) throw new Error(`ssh ${name}: ${stderr}`);
    return stdout;
  },

  /** The same with exit code and standard error, and as another user if wanted. */
  execute(name: string, command: string, user = 'root'): Promise<Result> {
    return attempt('ssh', [...sshArguments(nodeNamed(name), user), command], { input: '', timeoutMs: 120_000 });
  },

  /** Every file and unit of a node, to compare before and after. */
  digestOf(name: string): Promise<ReadonlyMap<string, string>> {
    return digestOf(nodeNamed(name));
  },

  /** Reboots a node and waits until it is up again. */
  async reboot(name: string): Promise<void> {
    const bootId = 'cat /proc/sys/kernel/random/boot_id; systemctl show -p UserspaceTimestampMonotonic';
    const node = nodeNamed(name);
    const before = (await ssh(node, bootId)).stdout;
    await ssh(node, 'systemctl reboot');
    await waitFor(`${name} to go down`, 120_000, async () => {
      const { code, stdout } = await ssh(node, bootId, { timeoutMs: 5000 });
      return code !== 0 || stdout !== before ? true : undefined;
    });
    await awaitNode(node, 120_000);
  },

  /** Takes a node's power: everything on it is killed at once. Only {@link reset} brings it back. */
  powerOff(name: string): Promise<void> {
    return destroyCgroups(nodeNamed(name).name);
  },

  /** Pulls a node's network cable, or puts it back. */
  setCable(name: string, state: 'up' | 'down'): Promise<void> {
    return setCable(nodeNamed(name).name, state);
  },

  /** The CONTAINER-RUNTIME that a Ready node reports; empty while it is not Ready. */
  async runtimeOf(name: string): Promise<string> {
    return (await readyRuntime(name)) ?? '';
  },

  /** Whether pods may be placed on a node. */
  async isSchedulable(name: string): Promise<boolean> {
    const { stdout } = await this.kubectl('get', 'node', name, '-o', 'jsonpath={.spec.unschedulable}');
    return stdout !== 'true';
  },

  /** The real kubectl against the lab. */
  kubectl(...args: string[]): Promise<Result> {
    return attempt(findProgram('kubectl') ?? 'kubectl', ['--kubeconfig', paths.kubeconfig, ...args], {
      timeoutMs: 120_000,
    });
  },

  api: {
    /** Sets the faults given and clears all others; `{}` clears them all. */
    async setFaults(faults: Partial<Faults>): Promise<void> {
      await control('PUT', '/lab/faults', JSON.stringify(faults));
    },

    /** The writes of everyone but the nodes' kubelets, oldest first. */
    async writes(): Promise<readonly Write[]> {
      // The shape is that of api-server.ts.
      return ((await control('GET', '/lab/writes')) as { items: Write[] }).items;
    },

    async clearWrites(): Promise<void> {
      await control('DELETE', '/lab/writes');
    },

    /** Any object or list, by its path. */
    get(path: string): Promise<unknown> {
      return control('GET', path);
    },
  },
};

function nodeNamed(name: string): LabNode {
  const node = labNodes(readState()?.nodeCount ?? 0).find((candidate) => candidate.name === name);
  if (node === undefined) throw new Error(`the lab has no node ${name}`);
  return node;
}

async function control(method: string, path: string, body?: string): Promise<unknown> {
  const response = await fetch(`${apiServerUrl()}${path}`, { method, ...(body === undefined ? {} : { body }) });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

import { dirname, resolve } from 'node:path';
import type { Inventory } from '../inventory/inventory.ts';
import type { Play, Task } from '../language/playbook.ts';
import { createScope } from '../language/scope.ts';
import type { Scope } from '../language/value.ts';
import type { HostRun } from './host-run.ts';
import type { RunRequest } from './request.ts';

/**
 * Gives the function that makes a host's variables for a task. From lowest to highest: the command line's connection
 * options, inventory groups, the host, the play, results and facts of the host, blocks and task, `-e`, and the names that
 * the engine provides.
 */
export function createVariables(
  request: RunRequest,
  inventory: Inventory,
  hosts: ReadonlyMap<string, HostRun>,
  runId: string,
): (host: HostRun, play: Play, task?: Task, extra?: Readonly<Record<string, unknown>>) => Scope {
  const connection = connectionDefaults(request);
  const groups = Object.fromEntries([...inventory.groups.values()].map((g) => [g.name, [...g.hosts]]));
  const provided = {
    groups,
    run_id: runId,
    check_mode: request.isCheckMode,
    playbook_dir: dirname(resolve(request.playbook)),
    hostvars: hostVariables(hosts, connection),
  };
  return (host, play, task, extra) =>
    createScope([
      connection,
      ...host.host.layers.map((layer) => layer.variables),
      play.vars,
      host.data,
      ...(task?.vars ?? []),
      request.extraVars,
      { ...provided, inventory_hostname: host.name, group_names: host.host.groups.filter((g) => g !== 'all') },
      extra ?? {},
    ]);
}

/** `hostvars`: every host's inventory variables and results, made when a host's are read. */
function hostVariables(
  hosts: ReadonlyMap<string, HostRun>,
  connection: Record<string, unknown>,
): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const host of hosts.values()) {
    Object.defineProperty(all, host.name, {
      enumerable: true,
      get: () =>
        createScope([
          connection,
          ...host.host.layers.map((layer) => layer.variables),
          host.data,
          { inventory_hostname: host.name, group_names: host.host.groups.filter((g) => g !== 'all') },
        ]),
    });
  }
  return all;
}

/** `-u`, `--private-key`, `-k`, `-b`, `-K` under the names that the inventory uses, below everything that it says. */
function connectionDefaults({ connection }: RunRequest): Record<string, unknown> {
  const named = {
    ansible_user: connection.user,
    ansible_ssh_private_key_file: connection.privateKeyFile,
    ansible_password: connection.password,
    ansible_become: connection.become,
    ansible_become_user: connection.becomeUser,
    ansible_become_password: connection.becomePassword,
    ansible_timeout: connection.timeoutMs === undefined ? undefined : connection.timeoutMs / 1000,
  };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}

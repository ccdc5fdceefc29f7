import { dirname, resolve } from 'node:path';
import { UnknownValueError } from '../base/unknown.ts';
import type { GrowingInventory } from '../inventory/growth.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { createScope, type Layer } from '../language/scope.ts';
import type { Scope, Variables } from '../language/value.ts';
import type { HostRun } from './host-run.ts';
import type { Answers, RunRequest } from './request.ts';
import type { Place } from './surroundings.ts';

/** The variables of a task, of a lease, of an include or of a role: the lowest layers, and the ones above results. */
export interface VariableLayers {
  readonly defaults: readonly Variables[];
  readonly vars: readonly Variables[];
}

/**
 * Gives the function that makes a host's variables for a task. From lowest to highest: defaults of the play's inputs and
 * of roles, the command line's connection options, inventory groups, the host, the play, answers to its prompts, results
 * and facts of the host, blocks and task, `-e`, the names that the engine provides, and the items of the loops around.
 */
export function createVariables(
  request: RunRequest,
  inventory: GrowingInventory,
  hosts: ReadonlyMap<string, HostRun>,
  runId: string,
  answers: Answers,
): (host: HostRun, place: Place, task?: VariableLayers, extra?: Readonly<Record<string, unknown>>) => Scope {
  const connection = connectionDefaults(request);
  const fixed = {
    run_id: runId,
    check_mode: request.isCheckMode,
    playbook_dir: dirname(resolve(request.playbook)),
  };
  let known: { readonly of: Inventory; readonly provided: Readonly<Record<string, unknown>> } | undefined;
  const provided = (): Readonly<Record<string, unknown>> => {
    const { current } = inventory;
    if (known?.of === current) return known.provided;
    const values = lazily(fixed, {
      groups: () => Object.fromEntries([...current.groups.values()].map((g) => [g.name, [...g.hosts]])),
      hostvars: () => hostVariables(hosts, connection),
    });
    known = { of: current, provided: request.plan?.isMade ? withUnknown(values, otherWhenApplied) : values };
    return known.provided;
  };
  return (host, { play, turn }, task, extra) => {
    const engine = provided();
    const layers: Layer[] = [play.defaults];
    if (task) layers.push(...task.defaults);
    layers.push(connection);
    for (const layer of host.host.layers) layers.push(layer.variables);
    layers.push(play.vars, answers.get(play.id) ?? none, host.data);
    if (task) layers.push(...task.vars);
    layers.push(request.extraVars, engine, namesOf(host));
    if (turn) layers.push(turn.variables);
    if (extra) layers.push(extra);
    return createScope(layers);
  };
}

const none: Readonly<Record<string, unknown>> = {};

/** Values of which some are made when they are first read: few playbooks read those of all hosts. */
function lazily(
  values: Readonly<Record<string, unknown>>,
  made: Readonly<Record<string, () => unknown>>,
): Readonly<Record<string, unknown>> {
  const result = { ...values };
  for (const [name, make] of Object.entries(made)) {
    let known: { readonly value: unknown } | undefined;
    Object.defineProperty(result, name, { enumerable: true, get: () => (known ??= { value: make() }).value });
  }
  return result;
}

/** What a plan is made with is not what it is applied with. */
const otherWhenApplied: Readonly<Record<string, string>> = {
  run_id: 'run_id is another one when the plan is applied',
  check_mode: 'check_mode is false when the plan is applied',
};

/** Values of which some cannot be known, each for its reason. */
function withUnknown(
  values: Readonly<Record<string, unknown>>,
  reasons: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const result = Object.create(null, Object.getOwnPropertyDescriptors(values)) as Record<string, unknown>;
  for (const [name, reason] of Object.entries(reasons)) {
    const get = (): never => {
      throw new UnknownValueError(reason);
    };
    Object.defineProperty(result, name, { enumerable: true, get });
  }
  return result;
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
        createScope([connection, ...host.host.layers.map((layer) => layer.variables), host.data, namesOf(host)]),
    });
  }
  return all;
}

function namesOf({ name, host }: HostRun): Readonly<Record<string, unknown>> {
  return { inventory_hostname: name, group_names: host.groups.filter((group) => group !== 'all') };
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

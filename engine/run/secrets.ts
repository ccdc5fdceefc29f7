import type { Masker } from '../base/masker.ts';
import { Secret } from '../base/secret.ts';
import { connectionNames } from '../inventory/connection-names.ts';
import type { Host, Inventory } from '../inventory/inventory.ts';
import { createScope } from '../language/scope.ts';
import type { Scope, Value } from '../language/value.ts';
import type { LoadedRun } from './load.ts';
import type { RunRequest } from './request.ts';

/**
 * Tells the masker of the passwords that a run knows before it starts: of the command line, the inventory, the plays and
 * `-e`. What came out of encrypted files and of prompts it knows already.
 */
export function learnPasswords(
  masker: Masker,
  request: Pick<RunRequest, 'connection' | 'extraVars'>,
  loaded: LoadedRun,
): void {
  const { password, becomePassword } = request.connection;
  for (const secret of [password, becomePassword]) if (secret) masker.add(secret);
  for (const [play, hosts] of loaded.hostsOf) {
    const answers = loaded.answers.get(play.id) ?? {};
    for (const host of [...hosts, ...loaded.inventory.localhosts.values()]) {
      const layers = host.layers.map((layer) => layer.variables);
      const scope = createScope([...layers, play.vars, answers, request.extraVars]);
      for (const name of passwordNames) if (name in scope) learn(masker, scope, name);
    }
  }
}

/** Gives what tells the masker of the passwords in an inventory that has grown. It looks at each value once. */
export function createPasswordLearner(
  masker: Masker,
  { extraVars }: Pick<RunRequest, 'extraVars'>,
): (grown: Inventory) => void {
  const seen = new WeakSet<Value>();
  const learnNew = (host: Host, value: Value | undefined, name: string): void => {
    if (value === undefined || seen.has(value)) return;
    seen.add(value);
    learn(masker, createScope([...host.layers.map((layer) => layer.variables), extraVars]), name);
  };
  return ({ hosts }) => {
    for (const host of hosts.values()) {
      for (const { variables } of host.layers) {
        for (const name of passwordNames) learnNew(host, variables.get(name), name);
      }
    }
  };
}

const { password, becomePassword, privateKeyPassphrase } = connectionNames;
const passwordNames = [...password, ...becomePassword, ...privateKeyPassphrase];

function learn(masker: Masker, scope: Scope, name: string): void {
  try {
    const value = scope[name];
    if (value instanceof Secret) masker.add(value);
    else if (typeof value === 'string' || typeof value === 'number') masker.add(new Secret(String(value)));
  } catch {
    // It needs a variable that only the run will have; the task that reads it says so if it never comes.
  }
}

import type { Masker } from '../base/masker.ts';
import { Secret } from '../base/secret.ts';
import { connectionNames } from '../inventory/connection-names.ts';
import { createScope } from '../language/scope.ts';
import type { Scope } from '../language/value.ts';
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

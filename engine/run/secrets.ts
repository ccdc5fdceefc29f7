import { Secret } from '../base/secret.ts';
import { connectionNames } from '../inventory/connection-names.ts';
import { createScope } from '../language/scope.ts';
import type { Scope } from '../language/value.ts';
import type { LoadedRun } from './load.ts';
import type { RunRequest } from './request.ts';

/** The passwords that a run knows before it starts: of the command line, the inventory, the plays and `-e`. */
export function secretsOf(request: Pick<RunRequest, 'connection' | 'extraVars'>, loaded: LoadedRun): Secret[] {
  const words = new Set<string>();
  for (const [play, hosts] of loaded.hostsOf) {
    for (const host of [...hosts, ...loaded.inventory.localhosts.values()]) {
      const layers = host.layers.map((layer) => layer.variables);
      const scope = createScope([...layers, play.vars, request.extraVars]);
      for (const name of passwordNames) if (name in scope) addWord(words, scope, name);
    }
  }
  const { password, becomePassword } = request.connection;
  return [password, becomePassword, ...[...words].map((word) => new Secret(word))].filter((s) => s !== undefined);
}

const { password, becomePassword, privateKeyPassphrase } = connectionNames;
const passwordNames = [...password, ...becomePassword, ...privateKeyPassphrase];

function addWord(words: Set<string>, scope: Scope, name: string): void {
  try {
    const value = scope[name];
    if (typeof value === 'string' || typeof value === 'number') words.add(String(value));
  } catch {
    // It needs a variable that only the run will have; the task that reads it says so if it never comes.
  }
}

import { RunbookError } from '../base/errors.ts';
import { becomeOf, targetOf } from '../inventory/connection-variables.ts';
import type { Play, Task } from '../language/playbook.ts';
import type { Scope } from '../language/value.ts';
import type { Become, Connection, OnConnectWait } from '../transport/transport.ts';
import type { RunContext } from './context.ts';
import type { HostRun } from './host-run.ts';

/** The host that a task is delegated to, or undefined when it runs on its own. */
export function delegateOf(task: Task, scope: Scope): string | undefined {
  const name = task.delegateTo?.render(scope);
  if (name === undefined || name === null || name === scope.inventory_hostname) return undefined;
  if (typeof name === 'string' && name !== '') return name;
  throw new RunbookError('task-failed', `delegate_to must be a host's name, not ${JSON.stringify(name)}`);
}

/** What is asked of a connection besides its host. */
interface ConnectionOptions {
  /** The host's own, where it is at hand. */
  readonly scope?: Scope | undefined;
  /** The second connection, for what goes on beside the tasks. */
  readonly isInBackground?: boolean;
  readonly onWait?: OnConnectWait;
}

/** The connection to a host, opened when there is none yet. */
export function connectionFor(
  context: RunContext,
  host: HostRun,
  play: Play,
  { scope, isInBackground = false, onWait }: ConnectionOptions = {},
): Promise<Connection> {
  const target = () => targetOf(host.host, scope ?? context.scopeOf(host, { play }));
  const name = isInBackground ? `${host.name} (in the background)` : host.name;
  return context.connections.open(name, target, context.request.abort, onWait);
}

/**
 * Who a task becomes on its host. The nearest `become` of the playbook decides; where there is none, the host's
 * `ansible_become`. User, method and password come from the host's variables unless the playbook names a user.
 */
export function becomeFor(context: RunContext, task: Task, on: HostRun, play: Play, scope: Scope): Become | undefined {
  const ownScope = on.name === scope.inventory_hostname ? scope : context.scopeOf(on, { play });
  const inventory = becomeOf(ownScope, on.host);
  const wanted = task.become?.render(scope) ?? inventory.isEnabled;
  if (typeof wanted !== 'boolean')
    throw new RunbookError('task-failed', `become must be true or false, not ${JSON.stringify(wanted)}`);
  if (!wanted) return undefined;
  const user = task.becomeUser?.render(scope) ?? inventory.become.user;
  if (typeof user !== 'string')
    throw new RunbookError('task-failed', `become_user must be a name, not ${JSON.stringify(user)}`);
  return { ...inventory.become, user };
}

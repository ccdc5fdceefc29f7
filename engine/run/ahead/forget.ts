import type { Task } from '../../language/playbook.ts';
import type { Scope } from '../../language/value.ts';
import type { RunContext } from '../context.ts';
import type { HostRun } from '../host-run.ts';

/**
 * From here on a host may be another than it was. So may all others, where a task works elsewhere, once for all, or on the
 * controller, which can have several names: a node is drained over an API server.
 */
export function forgetAnswers({ hosts }: Pick<RunContext, 'hosts'>, { task, host, on = host, scope }: Acting): void {
  const isOfOneHost = on === host && !task.runOnce && scope?.ansible_connection !== 'local';
  for (const { answers } of isOfOneHost ? [host] : hosts.values()) answers.forget();
}

/** Who acts on whom. */
interface Acting {
  readonly task: Task;
  readonly host: HostRun;
  readonly on?: HostRun;
  readonly scope?: Scope;
}

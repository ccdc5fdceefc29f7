import type { Range, Source } from '../base/source.ts';
import type { ModuleDefinition } from '../module/contract.ts';
import type { Expression, Value, Variables } from './value.ts';

/** A playbook, loaded and checked: no keyword, module or literal argument in it is unknown. */
export interface Playbook {
  readonly source: Source;
  readonly plays: readonly Play[];
}

/** A number of hosts, or a percentage of the play's hosts. */
export type BatchSize = { readonly hosts: number } | { readonly percent: number };

/** Tasks for some hosts. */
export interface Play {
  /** Stable within a playbook: `play-1`. */
  readonly id: string;
  readonly name: string;
  readonly range: Range;
  /** A host pattern; may use variables that need no host. */
  readonly hosts: Value;
  /** `vars`, then `vars_files` over them. */
  readonly vars: Variables;
  /** Batch sizes; the last one repeats. Empty: all hosts at once. */
  readonly serial: readonly BatchSize[];
  /** One host that fails or is unreachable stops the run: no further batch and no further play starts. */
  readonly anyErrorsFatal: boolean;
  readonly gatherFacts: boolean;
  readonly tasks: readonly Node[];
  readonly handlers: readonly Task[];
}

/** What a list of tasks is made of. */
export type Node = Task | Block;

/**
 * One use of a module. What surrounds it (play, blocks, imports) is already folded in: `when` holds the outer
 * conditions first, `vars` and `environment` the outer layers first, `tags` all of them, `become` the nearest.
 */
export interface Task {
  readonly kind: 'task';
  /** Stable within a playbook: `play-1/3`, `play-1/4.body.2`, `play-1/handlers/1`. */
  readonly id: string;
  /** The task's `name`, or its module's name. */
  readonly name: string;
  /** Set when the name is a template: the name as one host sees it. */
  readonly nameTemplate?: Value;
  readonly range: Range;
  readonly module: ModuleDefinition;
  /** Renders to the module's arguments, a map; its literal parts are checked against the schema already. */
  readonly args: Value;
  readonly when: readonly Expression[];
  readonly vars: readonly Variables[];
  readonly environment: readonly Value[];
  readonly tags: readonly string[];
  readonly become?: Value;
  readonly becomeUser?: Value;
  readonly delegateTo?: Value;
  readonly runOnce: boolean;
  readonly loop?: Value;
  readonly register?: string;
  readonly notify: readonly string[];
  readonly until: readonly Expression[];
  /** Further attempts after the first, while `until` is false. */
  readonly retries: number;
  readonly delayMs: number;
  readonly changedWhen?: readonly Expression[];
  readonly failedWhen?: readonly Expression[];
  readonly ignoreErrors?: Value;
  /** Deadline of the whole task on one host. */
  readonly timeoutMs?: number;
  readonly noLog: boolean;
}

/** Tasks that fail together: `rescue` runs on the hosts where the body failed, `always` on every host. */
export interface Block {
  readonly kind: 'block';
  readonly id: string;
  readonly name: string;
  readonly range: Range;
  readonly body: readonly Node[];
  readonly rescue: readonly Node[];
  readonly always: readonly Node[];
  readonly lease?: LeaseClause;
}

/** `lease:` of a block: taken just before the first effect under the block, given back on the way out. */
export interface LeaseClause {
  /** A task whose module is a lease. */
  readonly task: Task;
  /** `auto`: kept when a task under it changed the host, released when none did. */
  readonly onFailure: 'auto' | 'keep' | 'release';
}

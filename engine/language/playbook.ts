import type { Range, Source } from '../base/source.ts';
import type { ModuleDefinition } from '../module/contract.ts';
import type { Schema } from '../module/schema.ts';
import type { Expression, Value, Variables } from './value.ts';

/** A playbook, loaded and checked: no keyword, module or literal argument in it is unknown. */
export interface Playbook {
  readonly source: Source;
  /** Those of imported playbooks stand in their places. */
  readonly plays: readonly Play[];
}

/** A number of hosts, or a percentage of the play's hosts. */
export type HostCount = { readonly hosts: number } | { readonly percent: number };

/**
 * How many hosts are worked on before the next ones start. `batches`: sizes in order, the last one repeats; none at all
 * is all hosts at once. `window`: as one host ends the play, the next one starts.
 */
export type Serial =
  | { readonly kind: 'batches'; readonly sizes: readonly HostCount[] }
  | { readonly kind: 'window'; readonly size: HostCount };

/** The order in which a play takes its hosts. */
export const hostOrders = ['inventory', 'reverse_inventory', 'sorted', 'reverse_sorted', 'shuffle'] as const;
export type HostOrder = (typeof hostOrders)[number];

export const strategies = ['linear', 'free'] as const;

/** What a playbook or a role takes from outside, typed. */
export interface Input {
  readonly name: string;
  readonly range: Range;
  /** Of the value, with its description. */
  readonly schema: Schema;
  readonly isRequired: boolean;
}

/** `vars_prompt`: a variable that is asked for before the run, unless `-e` gives it. */
export interface Prompt {
  readonly name: string;
  readonly range: Range;
  readonly text: string;
  /** The answer is a secret and is not shown while it is typed. The default. */
  readonly isPrivate: boolean;
  /** What an empty answer means, and the answer where nobody can be asked. */
  readonly default?: string;
  /** It is asked for twice, and both answers must be the same. */
  readonly isConfirmed: boolean;
}

/** Tasks for some hosts. */
export interface Play {
  /** Stable within a playbook: `play-1`; the second play of a playbook that is imported third: `play-3.2`. */
  readonly id: string;
  readonly name: string;
  readonly range: Range;
  /** A host pattern; may use variables that need no host. */
  readonly hosts: Value;
  readonly order: HostOrder;
  readonly inputs: readonly Input[];
  readonly prompts: readonly Prompt[];
  /** The defaults of `inputs`: the lowest layer of all. */
  readonly defaults: Variables;
  /** `vars`, then `vars_files` over them. */
  readonly vars: Variables;
  /** `linear`: a task ends on all hosts of a batch before the next begins. `free`: each host goes on as fast as it can. */
  readonly strategy: (typeof strategies)[number];
  readonly serial: Serial;
  /** At most `count` of the hosts for which `by` renders to the same text are worked on at a time. */
  readonly maxPerGroup?: { readonly by: Expression; readonly count: number };
  /** As `maxFailures: 1`. */
  readonly anyErrorsFatal: boolean;
  /** So many hosts down in the run stop it: no further host and no further play starts. */
  readonly maxFailures?: number;
  /** So many percent of a batch's hosts, or of all that the run has had so far, stop it. */
  readonly maxFailPercentage?: number;
  /** What lies between one batch and the next. */
  readonly bake?: Bake;
  /** Handlers that were notified run on a host that failed, too. */
  readonly forceHandlers: boolean;
  /**
   * `true`: anew at the play's start. `false`: never. Not set: on the way, before the first task that reads them, and again
   * after a task that made them untrue.
   */
  readonly gatherFacts?: boolean;
  /** `pre_tasks`, roles, `tasks` and `post_tasks` in this order, with a {@link Meta} that flushes handlers between them. */
  readonly tasks: readonly Node[];
  /** The play's own, then those of its roles. */
  readonly handlers: readonly Task[];
}

/** `bake`: a batch that has ended is watched before the next one starts. */
export interface Bake {
  readonly range: Range;
  /** How long it is waited; not after the last batch. */
  readonly waitMs: number;
  /** The health gate: they run on the batch's hosts, and one that fails stops the run whatever the failure budget says. */
  readonly tasks: readonly Node[];
}

/** What a list of tasks is made of. */
export type Node = Task | Block | Include | Meta;

/**
 * One use of a module. What surrounds it (play, blocks, imports) is already folded in: `when` holds the outer
 * conditions first, `vars` and `environment` the outer layers first, `tags` all of them, `become` the nearest.
 */
export interface Task {
  readonly kind: 'task';
  /** Stable within a playbook: `play-1/3`, `play-1/4.body.2`, `play-1/handlers/1`. */
  readonly id: string;
  /** The task's `name`, or its module's name; of a role's handler `role : name`. */
  readonly name: string;
  /** Set when the name is a template: the name as one host sees it. */
  readonly nameTemplate?: Value;
  readonly range: Range;
  /** Of its text, so that it stays what it is when others around it change. */
  readonly digest: string;
  readonly module: ModuleDefinition;
  /** Renders to the module's arguments, a map; its literal parts are checked against the schema, `module_defaults` are in it. */
  readonly args: Value;
  readonly when: readonly Expression[];
  /** A role's defaults and those of its inputs, outermost first: below the inventory. */
  readonly defaults: readonly Variables[];
  readonly vars: readonly Variables[];
  readonly environment: readonly Value[];
  readonly tags: readonly string[];
  readonly become?: Value;
  readonly becomeUser?: Value;
  readonly delegateTo?: Value;
  /** Facts that the task sets are those of the host that it is delegated to. */
  readonly delegateFacts: boolean;
  /** `run`: on the first host of the run, for all. `batch`: on the first host of every batch, for that batch. */
  readonly runOnce?: 'run' | 'batch';
  /** At most so many hosts at a time, whatever the forks. */
  readonly throttle?: number;
  readonly loop?: Value;
  readonly loopControl: LoopControl;
  readonly register?: string;
  /** Names and topics of handlers; each is one of the play's `handlers`. */
  readonly notify: readonly string[];
  /** Of a handler: further names by which it can be notified. */
  readonly listen: readonly string[];
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
  /** Where files that the task names by a relative path are looked for, in this order. */
  readonly folders: readonly string[];
}

/** How a loop names its item and how it goes on. */
export interface LoopControl {
  /** `item` unless it is said otherwise. */
  readonly variable: string;
  /** A variable with the item's number, from 0. */
  readonly indexVariable?: string;
  /** What is shown for an item, instead of the item itself. */
  readonly label?: Value;
  /** Between two items. */
  readonly pauseMs: number;
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
  /** Set when the block is one use of a role: its inputs are checked on every host before its first task. */
  readonly role?: RoleUse;
}

/** A role as one play uses it. */
export interface RoleUse {
  readonly name: string;
  readonly range: Range;
  /** Where the role is used at all; its tasks ask again. */
  readonly when: readonly Expression[];
  readonly inputs: readonly Input[];
  /** As in {@link Task}: what the inputs' values are rendered with, besides the host's. */
  readonly defaults: readonly Variables[];
  readonly vars: readonly Variables[];
}

/** `lease:` of a block: taken just before the first effect under the block, given back on the way out. */
export interface LeaseClause {
  /** A task whose module is a lease. */
  readonly task: Task;
  /** `auto`: kept when a task under it changed the host, released when none did. */
  readonly onFailure: (typeof leasePolicies)[number];
}

export const leasePolicies = ['auto', 'keep', 'release'] as const;

/**
 * `include_tasks`: which file, and how often, is decided on each host when the run comes to it. Every file that it can
 * be is known and loaded before the run. What surrounds it is folded into the tasks of the files, but for its own `when`
 * and the names of its loop.
 */
export interface Include {
  readonly kind: 'include';
  readonly id: string;
  readonly name: string;
  readonly range: Range;
  /** Renders to one of `files`, as it is written. */
  readonly file: Value;
  /** By the name that `file` renders to. */
  readonly files: ReadonlyMap<string, readonly Node[]>;
  /** Evaluated on each host once for each item, not again in the file; the conditions around the include stand first. */
  readonly when: readonly Expression[];
  readonly defaults: readonly Variables[];
  readonly vars: readonly Variables[];
  readonly loop?: Value;
  readonly loopControl: LoopControl;
  readonly tags: readonly string[];
}

/** What a run can be told to do, besides tasks. */
export const metaActions = ['flush_handlers', 'end_play', 'end_host', 'end_batch', 'rolled_back'] as const;

/**
 * `meta`: `flush_handlers` runs what was notified so far; `rolled_back`, in a rescue only, ends the run for a host that is
 * as it was before; the others end something early and without failure.
 */
export interface Meta {
  readonly kind: 'meta';
  readonly id: string;
  readonly name: string;
  readonly range: Range;
  readonly action: (typeof metaActions)[number];
  /** Evaluated on each host. */
  readonly when: readonly Expression[];
  readonly defaults: readonly Variables[];
  readonly vars: readonly Variables[];
  readonly tags: readonly string[];
}

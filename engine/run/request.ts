import type { Clock } from '../base/clock.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import type { EventBus } from '../base/events.ts';
import type { Masker } from '../base/masker.ts';
import type { Secret } from '../base/secret.ts';
import type { FileOpener } from '../language/encrypted-files.ts';
import type { Play } from '../language/playbook.ts';
import type { RunContext } from './context.ts';
import type { LoadedRun } from './load.ts';
import type { PlanUse } from './plan-use.ts';

/** Answers to the prompts of plays, by the play's id: above the variables of the play, below results and `-e`. */
export type Answers = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** What a user asks for: one invocation of `runbook play`. */
export interface RunRequest {
  /** Path of the playbook. */
  readonly playbook: string;
  /** `-i` in order: paths, or inline lists such as `n1,n2,`. */
  readonly inventory: readonly string[];
  /** A host pattern that narrows every play. */
  readonly limit?: string;
  /** Stops before every effect and says what would be done. */
  readonly isCheckMode: boolean;
  readonly isDiff: boolean;
  /** Only tasks with one of these tags; empty: all. */
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
  /** `-e`: above every other variable. */
  readonly extraVars: Readonly<Record<string, unknown>>;
  /** Asks for what `vars_prompt` wants and `-e` does not give; called once, before hosts are matched. */
  readonly ask?: (plays: readonly Play[]) => Promise<Answers>;
  /** Knows the secrets of the run; those that it meets are added. One of its own unless it is given. */
  readonly masker?: Masker;
  /** Opens files that may be encrypted; without it those that are cannot be read. */
  readonly opener?: FileOpener;
  /** Hosts are asked for several coming tasks at once; what is told of it is the same. Default: true. */
  readonly isBatched?: boolean;
  /** How many hosts are worked on at the same time. */
  readonly forks: number;
  /** `--max-failures`: for every play, as its own `max_failures`; the lower one counts. */
  readonly maxFailures?: number;
  /** `--max-fail-percentage`, likewise. */
  readonly maxFailPercentage?: number;
  /** `--modules`: folders of custom modules, besides `modules/` beside the playbook. */
  readonly moduleDirectories: readonly string[];
  /** Over what ssh_config and the inventory's ssh arguments say; `strict` where nobody says anything. */
  readonly hostKeyChecking?: 'strict' | 'accept-new' | 'off';
  /** The command line's connection options; the inventory's variables win over them. */
  readonly connection: {
    readonly user?: string;
    readonly privateKeyFile?: string;
    readonly password?: Secret;
    readonly become?: boolean;
    readonly becomeUser?: string;
    readonly becomePassword?: Secret;
    readonly timeoutMs?: number;
    /** How long a link that was lost is waited for before its host is unreachable; 0: not at all. Default: 2 minutes. */
    readonly reconnectMs?: number;
  };
  /** Where the journal is kept, `.runbook` by default; absent: no journal. */
  readonly journalDirectory?: string;
  /** What of the command line is kept in the journal, to resume the run with. No secret is in it. */
  readonly options?: Readonly<Record<string, unknown>>;
  /**
   * Goes on with a run that was interrupted, stopped, or died: what its hosts did is replayed, not done again. With
   * `isChanged` also where the playbook, its modules or the inventory are not what they were.
   */
  readonly resume?: { readonly runId: string; readonly isChanged: boolean };
  /** Makes a plan (in check mode), or does what one says. */
  readonly plan?: PlanUse;
  /** What is done in place of the plays, with the hosts and connections of a run. */
  readonly instead?: (context: RunContext, loaded: LoadedRun) => Promise<void>;
  readonly bus: EventBus;
  /** The machine's own unless it is given. */
  readonly clock?: Clock;
  /** First stage of an interrupt: start nothing new, let what is in flight finish. */
  readonly signal: AbortSignal;
  /** Second stage: abort the tasks in flight too. */
  readonly abort: AbortSignal;
}

/** What a playbook would do where, without contacting a host. */
export interface RunOutline {
  /** Doubts about the playbook and the inventory. */
  readonly warnings: readonly Diagnostic[];
  readonly plays: readonly {
    readonly name: string;
    readonly hosts: readonly string[];
    readonly tasks: readonly {
      readonly id: string;
      readonly name: string;
      readonly module: string;
      readonly tags: readonly string[];
      /** `file:line:column` */
      readonly place: string;
    }[];
  }[];
}

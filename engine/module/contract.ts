import type { Clock } from '../base/clock.ts';
import { RunbookError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Script } from '../base/sh.ts';
import type { Content, Environment } from '../transport/transport.ts';
import type { ArgumentsSchema, FromSchema, Schema } from './schema.ts';
import type { Step, StepResult, Wait } from './step.ts';

/** What a probe's script printed and how it ended. */
export interface ProbeOutput {
  readonly rc: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A read-only question to a host, as data: a script and the parser of what it prints. The engine decides when to run it,
 * alone or with others; recorded output replays it in tests.
 */
export interface Probe<T> {
  readonly script: Script;
  /** Pure. Raise `failure(...)` when the host answered something that no desired state can be compared with. */
  readonly parse: (output: ProbeOutput) => T;
  /** Default 60 s. */
  readonly timeoutMs?: number;
  /** Environment variables for the script, over the task's own. */
  readonly environment?: Environment | undefined;
  /**
   * It is asked at its task's turn and not ahead: it runs what a user wrote, which may take its time, or asks about
   * something that others change, as a cluster.
   */
  readonly isAlone?: boolean | undefined;
}

/** Makes a probe. The script must change nothing on the host. */
export function probe<T>(
  script: Script,
  parse: (output: ProbeOutput) => T,
  options: Pick<Probe<T>, 'timeoutMs' | 'environment' | 'isAlone'> = {},
): Probe<T> {
  return { script, parse, ...options };
}

/** One difference between what is and what is wanted. */
export interface Change {
  /** What differs, for people: `mode`, `content`, `ActiveState`, `plugins.cri.sandbox_image`. */
  readonly path: string;
  /** What is there now, as JSON-like data; null when nothing is. A `Secret` (in `after` too) is not shown. Texts of several lines are shown as a unified diff. */
  readonly before: unknown;
  readonly after: unknown;
  /**
   * The thing on the host that changes: `file:/etc/x`, `unit:kubelet.service`. Check mode remembers `path` and `after`
   * under this name, so that the tasks after it see the host as it will be (see {@link Predicted}).
   */
  readonly resource?: string;
  /** Another name of it, under which check mode remembers it too: a path without the links to folders above it. */
  readonly alias?: string;
}

/** The answer "cannot be known in check mode", with its reason. */
export interface Unknown {
  readonly unknown: string;
  /** Whatever the answer would be, the task only reads. */
  readonly changesNothing?: true;
}

/** The outcome of comparing: `[]` is satisfied, changes are pending, or it is unknown. */
export type Diff = readonly Change[] | Unknown;

/** The answer `unknown`: for check mode only, when the state depends on an effect that was not run. */
export function unknown(reason: string, options: Pick<Unknown, 'changesNothing'> = {}): Unknown {
  return { unknown: reason, ...options };
}

/** An expected failure of a task that still has something to register: a command's `rc` and `stderr`. */
export class TaskFailure extends RunbookError {
  /** For `register`, as a success would give them: `failed_when`, `until` and `rescue` may read them. */
  readonly values: Readonly<Record<string, unknown>>;

  constructor(message: string, values: Readonly<Record<string, unknown>>) {
    super('task-failed', message);
    this.values = values;
  }
}

/**
 * An expected failure of a task. `details` (a journal's tail, a tool's output) are shown under the message, `values` are
 * registered in spite of the failure.
 */
export function failure(message: string, details = '', values: Readonly<Record<string, unknown>> = {}): TaskFailure {
  return new TaskFailure(details.trim() === '' ? message : `${message}\n${details.trim()}`, values);
}

/** What earlier tasks of this check-mode run would have done to the host. Empty in a real run: there probes see it. */
export interface Predicted {
  /** True when effects were skipped before this task: where it runs, or, where it is delegated, for its own host. */
  readonly any: boolean;
  /** True when effects were skipped for the task's own host, wherever the task is delegated to. */
  readonly anyOfHost: boolean;
  /** The predicted attributes of a resource by {@link Change.path}, `{}` when nothing is predicted for it. */
  of(resource: string): Readonly<Record<string, unknown>>;
  /** The names of the resources for which something is predicted that start with `prefix`: `file:/etc/x.d/`. */
  under(prefix: string): readonly string[];
}

/** A file of the controller as something to put. */
export interface FileContent {
  readonly content: Content;
  /** Hex. */
  readonly sha256: string;
  readonly size: number;
  /** The file stood encrypted: nothing of it is to be shown, its digest neither. */
  readonly isSecret?: boolean | undefined;
}

/** The controller's side of a task: its files, read and hashed once for all hosts. */
export interface Controller {
  /** The host that the task runs for. */
  readonly host: string;
  /**
   * Finds a file: an absolute path as it stands; else `FOLDER/NAME`, then `NAME`, beside the task's file, beside the
   * playbook and in the folder above it. Raises `file-unreadable` naming every place that was looked at.
   */
  find(name: string, folder: 'files' | 'templates'): Promise<string>;
  /** Reads a whole file. */
  read(path: string): Promise<Buffer>;
  /** The file as something to put: small ones in memory, large ones streamed, with size and hex SHA-256. */
  content(path: string): Promise<FileContent>;
  /**
   * Renders a Handlebars file with the task's variables (and `extra` over them); a secret when a secret went into it.
   * Errors carry the template's place.
   */
  template(path: string, extra?: Readonly<Record<string, unknown>>): Promise<string | Secret>;
  /**
   * Fetches a URL into the controller's cache once and gives the path of the file.
   * Raises `download-failed`, or `digest-mismatch` with both digests.
   */
  download(url: string, sha256: string): Promise<string>;
}

interface Common<S extends ArgumentsSchema> {
  /** kebab-case, as playbooks write it. */
  readonly name: string;
  /** One line for `runbook modules`. */
  readonly summary: string;
  /** More for `runbook doc`: what it promises, what it does not do. Markdown. */
  readonly description?: string;
  /** The one source of argument types, validation, documentation and completion. */
  readonly schema: S;
  /** The argument that a lone text means: `shell: ls -l`. Unless it is named: the one that is required, where it takes a text. */
  readonly loneArgument?: keyof S['properties'] & string;
  /**
   * What `register` gets, by name, besides `changed`, `failed` and the like. With it a misspelt name of a result is found
   * before the run; without it every name passes.
   */
  readonly returns?: Readonly<Record<string, Schema>>;
  /** YAML tasks for `runbook doc`, complete enough to paste. */
  readonly examples?: string;
  /**
   * What the schema cannot say: mistakes between arguments (`src` and `content` together), `[]` when there are none.
   * Called by `checkArguments` once the schema is satisfied, so literal arguments are judged before the first connection.
   * Pure; an argument of `format: 'expression'` is still its text here.
   */
  readonly check?: (args: FromSchema<S>) => readonly string[];
}

/**
 * A module with a desired state. The engine runs `desired → probe → diff` and, where something is pending, `prepare`. It
 * stops there in check mode, and otherwise goes on with `apply → probe → diff`, which must then be satisfied.
 *
 * Keep the members in this order in the literal: TypeScript infers `Desired` and `Current` from the first ones.
 */
export interface Resource<S extends ArgumentsSchema, Desired, Current> extends Common<S> {
  readonly kind: 'resource';
  /**
   * What is wanted, as far as the controller has to work it out: a rendered template, an archive's digest. It is asked of
   * a converged host too: what costs more than reading a file belongs in `prepare`.
   */
  readonly desired?: (args: FromSchema<S>, controller: Controller) => Promise<Desired>;
  readonly probe: (args: FromSchema<S>, desired: NoInfer<Desired>) => Probe<Current>;
  /** Pure. `predicted` is what check mode expects earlier tasks to have changed; empty otherwise. */
  readonly diff: (
    current: NoInfer<Current>,
    args: FromSchema<S>,
    context: { readonly desired: NoInfer<Desired>; readonly predicted: Predicted },
  ) => Diff;
  /**
   * Gets on the controller what only `apply` needs: a download. Called once changes are pending, before a lease is taken
   * and before the host is touched, and in check mode too, so that what would fail a run fails there.
   */
  readonly prepare?: (
    args: FromSchema<S>,
    context: { readonly desired: NoInfer<Desired>; readonly current: NoInfer<Current> },
    controller: Controller,
  ) => Promise<{
    /** What `apply` gets in place of the `desired` so far. */
    readonly desired: NoInfer<Desired>;
    /** What the changes bring with them. Check mode remembers it like them and does not show it: an archive's files. */
    readonly implied?: readonly Omit<Change, 'before'>[];
  }>;
  /** Yields the effects. A step that fails is thrown into the generator, so that `try`/`finally` can clean up. */
  readonly apply: (context: {
    readonly args: FromSchema<S>;
    readonly desired: NoInfer<Desired>;
    readonly current: NoInfer<Current>;
    readonly changes: readonly Change[];
    /** Names the attempt, unique per host and task: for temporary names on the host. */
    readonly id: string;
  }) => Generator<Step, Readonly<Record<string, unknown>> | void, StepResult>;
  /**
   * Facts that a change by this module may make untrue, by their first names: `['kubelet']` for what restarts it. The next
   * task that reads one of them gathers facts anew; in check mode they are unknown once a change is pending.
   */
  readonly invalidates?: readonly string[];
  /**
   * The arguments that name files of the controller, looked up in `files/`: one that is written out and is not there is
   * found before the run. From the arguments as they are written (a template is its text).
   */
  readonly controllerFiles?: (args: Readonly<Record<string, unknown>>) => readonly string[];
  /** Why the state cannot be probed after `apply` with these arguments; undefined when it can. */
  readonly unverifiable?: (args: FromSchema<S>) => string | undefined;
  /**
   * What must come true before the task is done, whether or not anything changed: a node that becomes Ready. Check mode
   * asks once, and answers `unknown` while it is not so. Undefined when nothing is to be waited for, also because
   * `current`, from the last probe, shows that it is so already: then the host is not asked again.
   */
  readonly settle?: (args: FromSchema<S>, current: NoInfer<Current>) => Wait<unknown> | undefined;
  /** Values for `register`, from the last probe. `changed`, `failed` and the like are added by the engine. */
  readonly result?: (
    current: NoInfer<Current>,
    args: FromSchema<S>,
    desired: NoInfer<Desired>,
  ) => Readonly<Record<string, unknown>>;
}

/** What an action has besides its arguments. */
export interface ActionContext {
  readonly host: string;
  readonly isCheckMode: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Lets some time pass, and tells what for: `waiting for …`. */
  sleep(ms: number, waitingFor: string): Promise<void>;
  /** Asks the host. */
  probe<T>(probe: Probe<T>): Promise<T>;
  /** Waits for something on the host; raises `timeout` with what it waited for and the last reason. */
  wait<T>(wait: Wait<T>): Promise<T>;
}

/** What an action did. */
export interface ActionResult {
  /** Shown to the user. */
  readonly message?: string;
  /** Check mode cannot say: the outcome is `unknown`, with this reason. */
  readonly unknown?: string;
  /** Variables to set on the host, for the tasks after it. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** Values for `register`. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** Hosts and groups for the inventory of this run; what is there already stays as it is. */
  readonly adds?: InventoryAddition;
}

/** What an action adds to the inventory of a run: nothing of it is written to a file. */
export interface InventoryAddition {
  /** A host that is there already is put into the groups, too, and gets the variables over those that it has. */
  readonly hosts?: readonly {
    readonly name: string;
    readonly groups?: readonly string[];
    /** Data: a text in it is never a template. */
    readonly variables?: Readonly<Record<string, unknown>>;
  }[];
  /** Groups, made where there are none, and the groups that they are children of. */
  readonly groups?: readonly { readonly name: string; readonly parents?: readonly string[] }[];
}

/** A module that computes, asserts or waits and changes no host. It runs in check mode too. */
export interface Action<S extends ArgumentsSchema> extends Common<S> {
  readonly kind: 'action';
  /** Its results may have `adds`: host patterns of later plays can name what is not there yet. */
  readonly growsInventory?: boolean;
  /**
   * The names of the variables that it sets by `facts`, or gives to hosts that it adds, from the arguments as they are
   * written (a template is its text). A variable that it does not tell counts as undefined in the static check.
   */
  readonly sets?: (args: Readonly<Record<string, unknown>>) => readonly string[];
  /** Raise `failure(...)` to fail the task. */
  readonly run: (args: FromSchema<S>, context: ActionContext) => Promise<ActionResult>;
}

/** What a lease knows of the run that wants it. */
export interface LeaseRun {
  readonly runId: string;
  /** Who runs it, for others to read: `ops@controller-1`. */
  readonly who: string;
  /** The host that the lease is held for. */
  readonly host: string;
  /** The time: milliseconds since the epoch. */
  readonly now: () => number;
}

/** The answer of `renew` and `release` when somebody else has the thing now, or it is gone: why it is not held any more. */
export interface Lost {
  readonly lost: string;
}

/**
 * Something that is held for a time and given back: a cordoned and drained node. It is taken just before the first
 * effect under its block, and never when nothing is to be done.
 *
 * The engine writes the grant to the journal, synced, before `acquire` does anything. So whatever ends the run, a resumed
 * run, or `runbook leases release`, can give back what was taken. All that follows may be run more than once with the same
 * grant: each says what is to be so, not what is to be done.
 */
export interface Lease<S extends ArgumentsSchema, Current, Grant> extends Common<S> {
  readonly kind: 'lease';
  readonly probe: (args: FromSchema<S>) => Probe<Current>;
  /** What taking it would change. */
  readonly diff: (current: NoInfer<Current>, args: FromSchema<S>) => Diff;
  /**
   * What giving it back will need to know, as JSON-like data: the name that it is held under, and how things were before.
   * Pure. It is written to the journal as it is, so nothing secret may be in it; the arguments are passed again anyway.
   */
  readonly grant: (context: { readonly args: FromSchema<S>; readonly current: NoInfer<Current> } & LeaseRun) => Grant;
  /**
   * Takes it, or takes up what a call that was cut off has left: in a resumed run it gets the grant of that call. When it
   * fails, the engine has `release` give back what it took so far. May return a line for people: what it took over from whom.
   */
  readonly acquire: (
    context: {
      readonly args: FromSchema<S>;
      readonly current: NoInfer<Current>;
      readonly grant: NoInfer<Grant>;
    } & LeaseRun,
  ) => Generator<Step, string | void, StepResult>;
  /** How often it is renewed while it is held. Without it, or without `renew`, it is not. */
  readonly renewEveryMs?: number;
  /**
   * Says again that it is held. `{ lost }` when another holder took it: then nothing more is done under it on that host. A
   * failure (the API server does not answer) is told, and it is tried again.
   */
  readonly renew?: (
    context: { readonly args: FromSchema<S>; readonly grant: NoInfer<Grant> } & LeaseRun,
  ) => Generator<Step, Lost | void, StepResult>;
  /**
   * The host failed under it, and it is kept: gives back what must not be held without a run that renews it. What protects
   * the host stays until `release`. Without it all stays.
   */
  readonly keep?: (
    context: { readonly args: FromSchema<S>; readonly grant: NoInfer<Grant>; readonly reason: string } & LeaseRun,
  ) => Generator<Step, Lost | void, StepResult>;
  /**
   * Gives back exactly what `acquire` took, also when that was only a part, or nothing. `isUndo`: `acquire` did not come to
   * its end, so nothing was done under it. `{ lost }` when there is nothing to give back because it is not held any more.
   */
  readonly release: (
    context: { readonly args: FromSchema<S>; readonly grant: NoInfer<Grant>; readonly isUndo: boolean } & LeaseRun,
  ) => Generator<Step, Lost | void, StepResult>;
}

/** A resource of any type, as the engine handles it: what one member made, only another member of the same object sees. */
export type AnyResource = Resource<ArgumentsSchema, unknown, unknown>;
/** An action of any type, as the engine handles it. */
export type AnyAction = Action<ArgumentsSchema>;
/** A lease of any type, as the engine handles it. */
export type AnyLease = Lease<ArgumentsSchema, unknown, unknown>;
/** A module of any kind. */
export type ModuleDefinition = AnyResource | AnyAction | AnyLease;

/** Defines a module with a desired state. See {@link Resource}. */
export function defineModule<const S extends ArgumentsSchema, Current, Desired = undefined>(
  definition: Omit<Resource<S, Desired, Current>, 'kind'>,
): AnyResource {
  // The engine passes to each member only what another member of this same object returned.
  return { kind: 'resource', ...definition } as unknown as AnyResource;
}

/** Defines an action. See {@link Action}. */
export function defineAction<const S extends ArgumentsSchema>(definition: Omit<Action<S>, 'kind'>): AnyAction {
  // The engine passes only arguments that its validator accepted.
  return { kind: 'action', ...definition } as unknown as AnyAction;
}

/** Defines a lease. See {@link Lease}. */
export function defineLease<const S extends ArgumentsSchema, Current, Grant>(
  definition: Omit<Lease<S, Current, Grant>, 'kind'>,
): AnyLease {
  // The engine passes to each member only what another member of this same object returned.
  return { kind: 'lease', ...definition } as unknown as AnyLease;
}

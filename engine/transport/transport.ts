import type { WaitView } from '../base/events.ts';
import type { Secret } from '../base/secret.ts';
import type { Script } from '../base/sh.ts';

/** Where a host is and how to log in to it; everything about becoming another user there is in {@link Become}. */
export interface Target {
  /** The name in the inventory, used in messages. */
  readonly name: string;
  readonly connection: 'ssh' | 'local';
  /** Host name, alias of `~/.ssh/config`, or address without brackets. */
  readonly address: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: Secret;
  readonly privateKeyFile?: string;
  readonly privateKeyPassphrase?: Secret;
  /** Options as OpenSSH's `-o` takes them (lower-case names), over what `~/.ssh/config` says for the address. */
  readonly sshOptions?: Readonly<Record<string, string>>;
  /** Shown to be of use at most this long after the start of a connect, authentication included. Default 20 s. */
  readonly connectTimeoutMs?: number;
}

/** Another user on the host, entered once per connection. */
export interface Become {
  readonly user: string;
  readonly method: 'sudo' | 'su' | 'doas';
  readonly password?: Secret;
}

/** What a script prints and how it ended. */
export interface ScriptResult {
  /** Exit status, 0 to 255; 128 + N when a signal N ended it. */
  readonly rc: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** Environment variables by name. They reach the script on its shell's standard input, and stand in no command line. */
export type Environment = Readonly<Record<string, string | Secret>>;

/** How to run one script. */
export interface RunOptions {
  readonly become?: Become | undefined;
  /** Given to the script's standard input, which is otherwise empty. The place for secrets. */
  readonly stdin?: string | Uint8Array | Secret | undefined;
  readonly environment?: Environment | undefined;
  /** After this many milliseconds the script's process group is killed on the host and the call rejects. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Set where the script has parts that must not cost each other their time. `timeoutMs` is that of the first one. */
  readonly parts?: ScriptParts | undefined;
  /** Told of what the call waits for besides the script: a lost link to come back, sudo. An empty text: it has come. */
  readonly onWait?: ((wait: WaitView) => void) | undefined;
}

/** A script with parts after the first one that have a time of their own. Milliseconds. */
export interface ScriptParts {
  /** A word that nothing else prints: it stands on standard output before the first part, and after each. */
  readonly mark: string;
  /** How long each of the parts after the first may take. */
  readonly timeoutsMs: readonly number[];
  /** How long they may take together. */
  readonly restMs: number;
  /** Called when the first part has ended and the others begin; again when the script is sent once more. */
  readonly onRest?: () => void;
}

/** What keeps an effect from being run twice. */
export interface EffectIdentity {
  /** Letters, digits, `.`, `_` and `-`. On one host, as one user, an effect of an id is started once at most. */
  readonly id: string;
  /** `Connection.boot` of when it may have been started already: after a restart of the host nobody can tell any more. */
  readonly startedIn?: string | undefined;
  /** Effects whose end is known and recorded: what the host keeps of them is removed. */
  readonly forget?: readonly string[] | undefined;
  /** Who must hold the host before the effect is started. */
  readonly lock?: HostLock | undefined;
}

/** A run that holds a host: no effect of another one is started there until it has let go. */
export interface HostLock {
  readonly runId: string;
  /** For people: `run 20261121T… of ann@ops-1 (pid 4711), since 14:02`. */
  readonly holder: string;
}

/**
 * A script that only reads, sent along with an effect: it is run when that has ended, however it did, and costs no round trip
 * of its own. It has its time from then on. Nothing else is sent to the host before it has ended.
 */
export interface ScriptBehind extends Pick<RunOptions, 'environment' | 'timeoutMs' | 'signal' | 'parts'> {
  readonly script: Script;
  /** How long its caller can wait for it, in milliseconds; asked when it begins. */
  readonly timeLeftMs: () => number;
  /** Called when it was sent, again when it was sent once more: over another link, or for another try. */
  readonly onSent: (answer: Promise<ScriptResult>) => void;
}

/** How to run an effect. After `timeoutMs`, and when aborted, its process group is killed on the host. */
export interface EffectOptions extends RunOptions, EffectIdentity {
  readonly behind?: ScriptBehind | undefined;
}

/** How an effect ended. */
export interface EffectResult extends ScriptResult {
  /** `shared`: by another shell of the same run. `unavailable`: the host has no flock. `none`: it was not asked for. */
  readonly lock: 'held' | 'shared' | 'unavailable' | 'none';
}

/** Bytes to put on a host: in memory, or a file of the controller that is streamed. */
export type Content =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly path: string; readonly size: number };

/** How to put a file. Owner, group and mode that are not given are kept from the file that is replaced. */
export interface PutOptions {
  /** Octal digits, for example `0644`. */
  readonly mode?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  /** Hex digest that the bytes on the host must have before they become visible. */
  readonly sha256: string;
  /** The bytes are secret: errors do not tell digests, which a short secret could be found by. */
  readonly isSecret?: boolean | undefined;
  /** A command that must succeed on the temporary file before it is renamed into place. */
  readonly validate?: ((temporaryPath: string) => Script) | undefined;
  /** Keeps the replaced file beside the new one as `PATH.YYYYMMDDTHHMMSSZ~`. */
  readonly backup?: boolean | undefined;
  readonly become?: Become | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onWait?: RunOptions['onWait'];
  /** The effect that gives the file its place. Before that a transfer that was cut off is begun anew. */
  readonly effect: EffectIdentity;
  /** Behind that effect. */
  readonly behind?: ScriptBehind | undefined;
}

/** What a put left besides the file itself. */
export interface PutResult {
  /** Path of the backup, when one was asked for and there was a file to keep. */
  readonly backup?: string;
}

/**
 * One host, reached. Scripts run one after another in a persistent shell per user, so that a script costs one round trip.
 *
 * Every method rejects with a RunbookError: `unreachable` when the link is lost (a script whose end was not seen has no
 * exit status and is never rc 0), `timeout` after `timeoutMs`, `become-failed` when the become user was refused,
 * `transfer-failed` when a put did not end well (then nothing of it is visible), `host-held` when another run holds the
 * host, `effect-unknown` when nobody can tell how an effect ended. A non-zero exit status is no error here.
 */
export interface Connection extends AsyncDisposable {
  /** For people: `root@10.0.0.1:22`, or `local`. */
  readonly description: string;
  /** Who a script is run as that becomes nobody; undefined where that is not known. */
  readonly user?: string | undefined;
  /** Names the time since the host started, once a script was run; undefined where the host does not tell. */
  readonly boot?: string | undefined;
  /** Runs a script that only reads, under a POSIX `sh` in a subshell: no state of it survives. */
  run(script: Script, options: RunOptions): Promise<ScriptResult>;
  /**
   * Runs a script that changes the host, detached from the link, its output and exit status kept there. Called again with
   * the same id, on a later connection too, it does not start it again: it waits for the end and gives the real status.
   */
  effect(script: Script, options: EffectOptions): Promise<EffectResult>;
  /**
   * Waits until all effects whose ids begin with `prefix`, and that this user started, have ended. Gives those that the host
   * still knows; `killed`: nobody knows its exit status.
   */
  settle(prefix: string, options: RunOptions): Promise<ReadonlyMap<string, 'ended' | 'killed'>>;
  /** Removes what the host keeps of this user's effects. */
  forget(ids: readonly string[], options: RunOptions): Promise<void>;
  /**
   * Puts a file atomically: a temporary file in the target's directory gets the bytes, owner and mode, is checked by
   * digest and by `validate`, synced, and renamed over the target. A reader sees the old file or the new one.
   */
  put(path: string, content: Content, options: PutOptions): Promise<PutResult>;
}

/** Told how far a connect has come, and until when it may take: `connecting to ops@node-1:22 (authentication)`. */
export type OnConnectWait = (wait: Omit<WaitView, 'sinceMs'>) => void;

/** A way to reach hosts. */
export interface Transport {
  /** Connects and authenticates. Rejects with `unreachable` or `host-key`, saying which of them and why. */
  connect(target: Target, signal?: AbortSignal, onWait?: OnConnectWait): Promise<Connection>;
}

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
 * `transfer-failed` when a put did not end well (then nothing of it is visible). A non-zero exit status is no error here.
 */
export interface Connection extends AsyncDisposable {
  /** For people: `root@10.0.0.1:22`, or `local`. */
  readonly description: string;
  /** Runs a script under a POSIX `sh` in a subshell: no state of it survives. */
  run(script: Script, options: RunOptions): Promise<ScriptResult>;
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

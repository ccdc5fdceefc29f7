import type { Readable, Writable } from 'node:stream';

/** How a process on a host ended. `lost` means that its end was not seen: the link went first. */
export type ProcessEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'lost'; readonly reason: string };

/** A process on a host with its three streams; what both transports are built on. */
export interface HostProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves once, never rejects; soon after the exit even when a daemon still holds the output. */
  readonly ended: Promise<ProcessEnd>;
  /** Lets go of the process: closes its streams. It may live on; killing it is another command's work. */
  destroy(): void;
}

/** Starts a command line (no secrets: `ps` shows it) on a host. Rejects with `unreachable` when that cannot be. */
export type OpenProcess = (command: string, signal?: AbortSignal) => Promise<HostProcess>;

/** Says how a process ended, for messages. */
export function describeEnd(end: ProcessEnd): string {
  if (end.kind === 'exited') return `it exited with status ${end.code}`;
  if (end.kind === 'signalled') return `it was killed by ${end.signal}`;
  return end.reason;
}

import { spawn } from 'node:child_process';
import { userInfo } from 'node:os';
import type { Clock } from '../base/clock.ts';
import { RunbookError } from '../base/errors.ts';
import { createConnection } from './connection.ts';
import type { FileReader } from './file-reader.ts';
import type { HostProcess, ProcessEnd } from './process.ts';
import type { Transport } from './transport.ts';

/** What the local transport is made of. */
export interface LocalTransportOptions {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: FileReader;
}

/** A transport to this machine: the same shell, framing and transfers as over SSH, without the link. */
export function createLocalTransport(options: LocalTransportOptions): Transport {
  return {
    connect: async () =>
      createConnection({
        description: 'local',
        user: userInfo().username,
        open: async (command) => spawnProcess(command, options.environment),
        // The user's own tools come first, as on their command line; sbin is what a login may lack.
        path: '"$PATH":/usr/local/sbin:/usr/sbin:/sbin',
        clock: options.clock,
        readFile: options.readFile,
        end: async () => {},
      }),
  };
}

async function spawnProcess(
  command: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<HostProcess> {
  // Detached: Ctrl-C on the terminal is for the engine, which then ends what runs in its own order.
  const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: 'pipe', env: { ...environment } });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new RunbookError('unreachable', `cannot start /bin/sh: ${error.message}`)));
  });
  let onDestroyed = (): void => {};
  const ended = new Promise<ProcessEnd>((resolve) => {
    onDestroyed = () => resolve({ kind: 'lost', reason: 'the connection was closed' });
    const settle = (code: number | null, signal: string | null): void =>
      resolve(code === null ? { kind: 'signalled', signal: signal ?? 'a signal' } : { kind: 'exited', code });
    child.once('close', settle);
    // A daemon that holds the output keeps `close` away.
    child.once('exit', (code, signal) => setTimeout(() => settle(code, signal), holdMs).unref());
  });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    destroy() {
      onDestroyed();
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
    },
  };
}

/** How long output that follows the exit is waited for. */
const holdMs = 500;

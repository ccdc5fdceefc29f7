import { randomBytes } from 'node:crypto';
import process from 'node:process';
import type { RunbookError } from '../../engine/base/errors.ts';
import { createTransport, type TransportOptions } from '../../engine/transport/create-transport.ts';
import type { Connection, EffectIdentity, Target } from '../../engine/transport/transport.ts';
import { type Sshd, startSshd, whyNoSshd } from './sshd.ts';

/** A way to reach this machine, for tests that hold for every transport. */
export interface TransportUnderTest {
  readonly name: string;
  /** Set when it cannot be had here. */
  readonly skipReason: string | undefined;
  /** Connects; `path` comes first in the PATH of the host, so that stand-ins are found. */
  open(path?: string): Promise<OpenConnection>;
}

/** A connection with whatever had to be started for it. */
export interface OpenConnection extends AsyncDisposable {
  readonly connection: Connection;
}

/** All transports; the contract's tests run over each. */
export const transportsUnderTest: readonly TransportUnderTest[] = [
  {
    name: 'local',
    skipReason: undefined,
    async open(path) {
      const PATH = `${path === undefined ? '' : `${path}:`}${process.env.PATH}`;
      const transport = createTransport({ environment: { ...process.env, PATH } });
      return owned(await transport.connect({ name: 'here', connection: 'local', address: 'localhost' }));
    },
  },
  {
    name: 'ssh',
    skipReason: whyNoSshd(),
    async open(path) {
      const sshd = await startSshd(path === undefined ? {} : { path });
      const transport = createTransport(sshOptions(sshd));
      return owned(await transport.connect(targetOf(sshd)), sshd);
    },
  },
];

/** For hooks: skips the tests of a transport that cannot be had here, and says why. */
export function skipWhereMissing(context: Mocha.Context, { name, skipReason }: TransportUnderTest): void {
  if (skipReason === undefined) return;
  console.warn(`${context.test?.parent?.title ?? name} is not tested: ${skipReason}`);
  context.skip();
}

/** Options that see the test server's home and nothing of the developer's. */
export function sshOptions(sshd: Sshd, more: TransportOptions = {}): TransportOptions {
  return { home: sshd.home, environment: {}, configFiles: [`${sshd.home}/.ssh/config`, '/nonexistent'], ...more };
}

/** The test server as a target. */
export function targetOf(sshd: Sshd, more: Partial<Target> = {}): Target {
  return { name: 'node-1', connection: 'ssh', address: '127.0.0.1', port: sshd.port, user: sshd.user, ...more };
}

/** The error that a promise is rejected with; fails when it is not a RunbookError. */
export async function rejection(promise: Promise<unknown>): Promise<RunbookError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  // Told by its shape, so that a failure of another kind is shown as it is.
  if (error instanceof Error && 'code' in error && 'hint' in error) return error as RunbookError;
  throw error ?? new Error('it was not rejected');
}

/** An effect that is no other one. */
export function someEffect(): EffectIdentity {
  return { id: `test-${randomBytes(8).toString('hex')}` };
}

function owned(connection: Connection, owner?: AsyncDisposable): OpenConnection {
  return {
    connection,
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
      await owner?.[Symbol.asyncDispose]();
    },
  };
}

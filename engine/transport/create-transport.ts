import { homedir } from 'node:os';
import process from 'node:process';
import { type Clock, systemClock } from '../base/clock.ts';
import { createFileReader } from './file-reader.ts';
import type { HostKeyChecking } from './host-key.ts';
import { createLocalTransport } from './local.ts';
import type { Transport } from './transport.ts';

/** How this process reaches hosts. Everything has a default; tests pass their own. */
export interface TransportOptions {
  /** Over what ssh_config says; `strict` where neither says anything. */
  readonly hostKeyChecking?: HostKeyChecking | undefined;
  readonly home?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Files in ssh_config's format, first match wins. Default `~/.ssh/config`, `/etc/ssh/ssh_config`. */
  readonly configFiles?: readonly string[] | undefined;
  /** Where a thing that is no failure is said, once: an option that is ignored, a host key that was accepted. */
  readonly warn?: ((message: string) => void) | undefined;
  readonly clock?: Clock | undefined;
}

/** A transport that goes the way each target's `connection` names. ssh2 is loaded with the first SSH connection. */
export function createTransport(options: TransportOptions = {}): Transport {
  const environment = options.environment ?? process.env;
  const clock = options.clock ?? systemClock;
  const readFile = createFileReader();
  const local = createLocalTransport({ clock, environment, readFile });
  let ssh: Promise<Transport> | undefined;

  async function loadSsh(): Promise<Transport> {
    const home = options.home ?? homedir();
    const { createSshTransport } = await import('./ssh.ts');
    return createSshTransport({
      hostKeyChecking: options.hostKeyChecking,
      home,
      environment,
      configFiles: options.configFiles ?? [`${home}/.ssh/config`, '/etc/ssh/ssh_config'],
      warn: options.warn ?? (() => {}),
      clock,
      readFile,
    });
  }

  return {
    async connect(target, signal, onWait) {
      if (target.connection === 'local') return local.connect(target, signal);
      ssh ??= loadSsh();
      return (await ssh).connect(target, signal, onWait);
    },
  };
}

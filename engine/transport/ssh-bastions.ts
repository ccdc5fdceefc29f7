import type { Duplex } from 'node:stream';
import { RunbookError } from '../base/errors.ts';
import type { SshClient } from './ssh-client.ts';
import type { ResolvedHost } from './ssh-config.ts';

/** How to get to a host: directly (`sock` undefined) or through a tunnel, which is given back with `release`. */
export interface Route {
  readonly sock: Duplex | undefined;
  release(): Promise<void>;
}

/** Connections to bastions, one for all hosts behind it, closed with its last user. */
export interface Bastions {
  /** Opens the tunnel to a host over its ProxyJump chain; rejects as a connect does, naming the bastion. */
  reach(host: ResolvedHost, signal: AbortSignal | undefined): Promise<Route>;
}

/** What bastions are reached with. */
export interface BastionContext {
  readonly resolve: (address: string) => ResolvedHost;
  readonly logIn: (
    host: ResolvedHost,
    description: string,
    sock: Duplex | undefined,
    signal: AbortSignal | undefined,
  ) => Promise<SshClient>;
}

interface Shared {
  readonly connected: Promise<SshClient>;
  users: number;
  release: () => Promise<void>;
}

/** Makes an empty set. One connection per bastion also stays clear of its MaxStartups. */
export function createBastions(context: BastionContext): Bastions {
  const shared = new Map<string, Shared>();

  /** The connection to the last of a chain of bastions, itself reached over the ones before. */
  async function acquire(chain: readonly string[]): Promise<{ client: SshClient; release: () => Promise<void> }> {
    const id = chain.join(',');
    const existing = shared.get(id);
    const entry = existing ?? connect(chain, id);
    entry.users++;
    let isReleased = false;
    const release = async (): Promise<void> => {
      if (isReleased) return;
      isReleased = true;
      if (--entry.users === 0) await entry.release();
    };
    try {
      return { client: await entry.connected, release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  function connect(chain: readonly string[], id: string): Shared {
    let route: Route | undefined;
    // No signal of one host: the others wait for the same connection.
    const connected = (async () => {
      const address = chain.at(-1) ?? '';
      const host = context.resolve(address);
      // A bastion that has a ProxyJump of its own in ssh_config is reached over that, as ssh does for the first one.
      route = await tunnel(chain.length > 1 ? chain.slice(0, -1) : host.proxyJump, host, id);
      const description = `${host.user}@${address.replace(/^.*@/, '')} (bastion)`;
      const client = await context.logIn(host, description, route.sock, undefined);
      client.client.once('close', forget);
      return client;
    })();
    connected.catch(forget);
    function forget(): void {
      if (shared.get(id) === entry) shared.delete(id);
    }
    const entry: Shared = {
      connected,
      users: 0,
      async release() {
        forget();
        const client = await connected.catch(() => undefined);
        await client?.end();
        await route?.release();
      },
    };
    shared.set(id, entry);
    return entry;
  }

  async function tunnel(chain: readonly string[], host: ResolvedHost, from: string): Promise<Route> {
    if (chain.length === 0) return { sock: undefined, release: async () => {} };
    if (chain.join(',') === from || chain.length > maxHops) {
      throw new RunbookError('invalid-input', `ProxyJump goes in a circle: ${chain.join(' -> ')}`);
    }
    const { client, release } = await acquire(chain);
    try {
      return { sock: await forward(client, host, chain), release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  return {
    reach: (host) => tunnel(host.proxyJump, host, ''),
  };
}

const maxHops = 8;

/** How long a bastion may take to connect onward. */
const forwardTimeoutMs = 20_000;

function forward(bastion: SshClient, host: ResolvedHost, chain: readonly string[]): Promise<Duplex> {
  const place = `${host.hostname}:${host.port}`;
  const over = `over the bastion ${chain.at(-1)}`;
  return new Promise((resolve, reject) => {
    const fail = (why: string): void =>
      reject(
        new RunbookError('unreachable', `cannot reach ${place} ${over}: ${why}`, {
          hint: 'check that the bastion may reach it (AllowTcpForwarding, routing, firewall)',
        }),
      );
    const timer = setTimeout(() => fail(`no answer within ${forwardTimeoutMs / 1000} s`), forwardTimeoutMs);
    try {
      bastion.client.forwardOut('127.0.0.1', 0, host.hostname, host.port, (error, channel) => {
        clearTimeout(timer);
        if (error) fail(error.message.replace('(SSH) Channel open failure: ', ''));
        else resolve(channel);
      });
    } catch {
      clearTimeout(timer);
      fail(`the connection to the bastion was lost (${bastion.lostReason()})`);
    }
  });
}

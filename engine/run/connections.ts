import { hostname, userInfo } from 'node:os';
import process from 'node:process';
import type { Clock } from '../base/clock.ts';
import type { EventBus } from '../base/events.ts';
import type { Connection, HostLock, OnConnectWait, Target, Transport } from '../transport/transport.ts';
import { createConnectWaits } from './connect-waits.ts';
import { createEffectKeeper, type EffectKeeper } from './effect-keeper.ts';
import { createHostLink } from './host-link.ts';
import { watchEffects } from './watch-effects.ts';

/** The connections of a run: one per host, opened when first needed, closed together. */
export interface Connections extends AsyncDisposable {
  /**
   * The host's connection; `target` is asked only when there is none yet. A link that is lost is made again for as long as
   * the run waits for it. After that it is forgotten, so that the next task connects anew, whichever task and host it was
   * used for.
   */
  open(host: string, target: () => Target, signal: AbortSignal, onWait?: OnConnectWait): Promise<Connection>;
  /** Who holds the hosts that this run changes. */
  readonly lock: HostLock;
}

/** How a run deals with its hosts. */
export interface ConnectionOptions {
  readonly runId: string;
  /** How long a lost link is waited for; 0: not at all. */
  readonly reconnectMs: number;
  /**
   * Resolves when the ends of effects that were told of are on disk. Where it rejects they are not recorded any more: hosts
   * then keep what they know, for whoever resumes the run.
   */
  readonly durable?: () => Promise<void>;
}

/** Makes an empty set of connections. */
export function createConnections(
  transport: Transport,
  bus: EventBus,
  clock: Clock,
  { runId, reconnectMs, durable = async () => undefined }: ConnectionOptions,
): Connections {
  const opened = new Map<string, Promise<EffectKeeper>>();
  const waits = createConnectWaits();

  async function connect(host: string, target: Target, signal: AbortSignal): Promise<Connection> {
    const started = clock.now();
    const connection = await transport.connect(target, signal, (wait) => waits.tell(host, wait));
    bus.emit({
      type: 'host-connected',
      host,
      description: connection.description,
      durationMs: clock.now() - started,
    });
    return connection;
  }

  async function drop(host: string): Promise<void> {
    const connection = opened.get(host);
    opened.delete(host);
    // A connection that never came up, or is broken, has nothing left to close.
    await connection?.then((c) => c[Symbol.asyncDispose]()).catch(() => undefined);
  }

  async function link(
    host: string,
    target: Target,
    signal: AbortSignal,
    onLost: () => Promise<void>,
  ): Promise<EffectKeeper> {
    const connection = await createHostLink({
      connect: () => connect(host, target, signal),
      clock,
      reconnectMs,
      signal,
      onLost,
    });
    // On the controller itself a second run has other targets as a rule.
    const isLockable = target.connection !== 'local';
    return createEffectKeeper({ connection, isLockable, warn: (message) => warn(`${host}: ${message}`) });
  }

  function warn(message: string): void {
    bus.emit({ type: 'warning', diagnostic: { severity: 'warning', message } });
  }

  async function forgetWhenDurable(host: string, ids: readonly string[]): Promise<void> {
    await durable();
    (await opened.get(host))?.recorded(ids);
  }
  const forgetting = new Set<Promise<void>>();
  bus.subscribe(
    watchEffects((host, ids) => {
      // What is not recorded, or whose host is gone, is not forgotten there.
      const work = forgetWhenDurable(host, ids).catch(() => undefined);
      forgetting.add(work);
      void work.then(() => forgetting.delete(work));
    }),
  );

  return {
    lock: lockOf(runId, clock.now()),
    open(host, target, signal, onWait) {
      const known = opened.get(host);
      if (known) return waits.during(host, known, onWait);
      const connection: Promise<EffectKeeper> = link(host, target(), signal, async () => {
        if (opened.get(host) === connection) await drop(host);
      });
      opened.set(host, connection);
      connection.catch(() => opened.delete(host));
      return waits.during(host, connection, onWait);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(forgetting);
      await Promise.all([...opened.keys()].map(drop));
    },
  };
}

function lockOf(runId: string, now: number): HostLock {
  const since = new Date(now).toISOString().slice(0, 16).replace('T', ' ');
  const holder = `run ${runId} of ${userInfo().username}@${hostname()} (process ${process.pid}), since ${since} UTC`;
  return { runId, holder };
}

import type { Clock } from '../base/clock.ts';
import { RunbookError } from '../base/errors.ts';
import type { EventBus } from '../base/events.ts';
import type { Connection, Target, Transport } from '../transport/transport.ts';

/** The connections of a run: one per host, opened when first needed, closed together. */
export interface Connections extends AsyncDisposable {
  /**
   * The host's connection; `target` is asked only when there is none yet. One whose link is lost is forgotten, so that the
   * next task connects anew, whichever task and host it was used for.
   */
  open(host: string, target: () => Target, signal: AbortSignal): Promise<Connection>;
}

/** Makes an empty set of connections. */
export function createConnections(transport: Transport, bus: EventBus, clock: Clock): Connections {
  const opened = new Map<string, Promise<Connection>>();

  async function connect(host: string, target: Target, signal: AbortSignal): Promise<Connection> {
    const started = clock.now();
    const connection = await transport.connect(target, signal);
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

  return {
    open(host, target, signal) {
      const known = opened.get(host);
      if (known) return known;
      const connection: Promise<Connection> = connect(host, target(), signal).then((opening) =>
        watched(opening, async () => {
          if (opened.get(host) === connection) await drop(host);
        }),
      );
      opened.set(host, connection);
      connection.catch(() => opened.delete(host));
      return connection;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...opened.keys()].map(drop));
    },
  };
}

/** A connection that tells when its link turns out to be lost. */
function watched(connection: Connection, onLost: () => Promise<void>): Connection {
  const tell = async (error: unknown): Promise<never> => {
    if (error instanceof RunbookError && error.code === 'unreachable') await onLost();
    throw error;
  };
  return {
    description: connection.description,
    run: (script, options) => connection.run(script, options).catch(tell),
    put: (path, content, options) => connection.put(path, content, options).catch(tell),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

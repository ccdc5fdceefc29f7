import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** What becomes of the piece at which a link is cut: it does not arrive, it arrives, or half of it does. */
export type CutMode = 'before' | 'after' | 'half';

/** A way to a port that counts the pieces of data that pass, in both directions, and cuts its links at one of them. */
export interface ChunkProxy extends AsyncDisposable {
  readonly port: number;
  /** Pieces that passed since {@link ChunkProxy.start}. */
  readonly passed: number;
  readonly cuts: number;
  /** How often the near end spoke after the far end had: round trips, where each waits for the other. */
  readonly turns: number;
  /** Counts from here on, and cuts at piece `at`, counted from 1; never when it is 0. */
  start(at: number, mode: CutMode): void;
}

/**
 * Listens on a free port of 127.0.0.1, in front of `port`. Both ends of a link that is cut see a reset. With a delay, in
 * milliseconds each way, what is sent at about the same time counts as one turn.
 */
export async function createChunkProxy(port: number, delayMs = 0): Promise<ChunkProxy> {
  const sockets = new Set<Socket>();
  let plan: { readonly at: number; readonly mode: CutMode } | undefined;
  let passed = 0;
  let cuts = 0;
  let turns = 0;
  let isAnswered = true;

  function cut(): void {
    cuts++;
    for (const socket of sockets) socket.resetAndDestroy();
    sockets.clear();
  }

  function pass(chunk: Buffer, to: Socket): void {
    const isCut = plan !== undefined && ++passed === plan.at;
    if (!isCut) return delayMs === 0 ? void to.write(chunk) : void setTimeout(() => to.write(chunk), delayMs);
    if (plan?.mode === 'before') return cut();
    to.write(plan?.mode === 'half' ? chunk.subarray(0, chunk.length >> 1) : chunk, () => setTimeout(cut, 3));
  }

  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port, noDelay: true });
    near.setNoDelay(true);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk: Buffer) => {
        if (from === near && isAnswered) turns++;
        isAnswered = from === far;
        if (sockets.has(from)) pass(chunk, to);
      });
      from
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(from);
          to.destroy();
        });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    // It listens on TCP.
    port: (server.address() as AddressInfo).port,
    get passed() {
      return passed;
    },
    get turns() {
      return turns;
    },
    get cuts() {
      return cuts;
    },
    start(at, mode) {
      if (plan === undefined) plan = { at, mode };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

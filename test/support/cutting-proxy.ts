import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * When a link is cut, seen from what is just being asked of the host: before the host hears of it, once the host has heard
 * and before it can have answered, or when it has answered and nobody hears that.
 */
export type CutPoint = 'before' | 'during' | 'after';

/** A way to a port on which links can be cut as a switch that dies would do it: both ends only see a reset. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  /** Links that were cut so far. */
  readonly cuts: number;
  /** Cuts the links that there are now: at once, after the next bytes to the host, or with its next answer. */
  cut(point: CutPoint): void;
}

/** Listens on a free port of 127.0.0.1 and passes everything on to `host:port`. */
export async function createCuttingProxy(host: string, port: number): Promise<CuttingProxy> {
  const links = new Set<Link>();
  let cuts = 0;
  const server: Server = createServer((near) => {
    const link = createLink(near, connect({ host, port, noDelay: true }), {
      onCut: () => {
        cuts++;
      },
      onEnd: () => links.delete(link),
    });
    links.add(link);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    // It listens on TCP.
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    cut: (point) => [...links].forEach((link) => link.cut(point)),
    async [Symbol.asyncDispose]() {
      for (const link of links) link.end();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Link {
  cut(point: CutPoint): void;
  end(): void;
}

function createLink(near: Socket, far: Socket, { onCut, onEnd }: { onCut: () => void; onEnd: () => void }): Link {
  let planned: CutPoint | undefined;
  let isDown = false;
  const end = (): void => {
    if (isDown) return;
    isDown = true;
    near.resetAndDestroy();
    far.resetAndDestroy();
    onEnd();
  };
  const cutNow = (): void => {
    if (isDown) return;
    onCut();
    end();
  };
  near.setNoDelay(true);
  for (const socket of [near, far]) socket.on('error', end).on('close', end);
  near.on('data', (chunk) => {
    if (isDown) return;
    // Written out before the reset, which throws away what is still in the buffer.
    far.write(chunk, () => {
      if (planned === 'during') setTimeout(cutNow, 5);
    });
  });
  far.on('data', (chunk) => {
    // What the host says once the cut is planned is not heard any more.
    if (planned === 'after') setTimeout(cutNow, 50);
    else if (planned === undefined && !isDown) near.write(chunk);
  });
  return {
    end,
    cut(point) {
      if (point === 'before') cutNow();
      else planned ??= point;
    },
  };
}

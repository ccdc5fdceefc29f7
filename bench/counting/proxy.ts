import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Target, Targets } from '../targets/targets.ts';

/** Bytes that came through at a time. */
export interface Burst {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly isToHost: boolean;
  readonly bytes: number;
}

/** A connection that came through. */
export interface Link {
  readonly target: Target;
  /** The port that the host sees it come from. */
  readonly sourcePort: number;
  readonly bursts: readonly Burst[];
}

/** A way to hosts on which everything is delayed and counted. */
export interface Proxied extends AsyncDisposable {
  /** The same hosts, at the proxy's addresses. */
  readonly targets: Targets;
  readonly links: readonly Link[];
}

/** Listens on loopback, with an address for each host, and passes everything on, each direction so many milliseconds later. */
export async function throughProxy(targets: Targets, delayMs: number): Promise<Proxied> {
  const links: Link[] = [];
  const sockets = new Set<Socket>();
  const addresses = targets.hosts.map((_, i) => `127.1.${Math.floor(i / 250)}.${1 + (i % 250)}`);
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    const target = targets.hosts[addresses.indexOf(near.localAddress ?? '')];
    if (target === undefined) {
      near.destroy();
      return;
    }
    keep(near);
    // Far away a server learns of a connection after one and a half round trips: SYN, SYN-ACK, ACK.
    setTimeout(() => connectTo(target, near), 3 * delayMs);
  });
  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
  }
  function connectTo(target: Target, near: Socket): void {
    if (near.destroyed) return;
    const far = connect({ host: target.address, port: target.port, noDelay: true, allowHalfOpen: true });
    keep(far);
    far.on('connect', () => {
      const bursts: Burst[] = [];
      links.push({ target, sourcePort: far.localPort ?? 0, bursts });
      passOn(near, far, delayMs, (bytes) => bursts.push({ atMs: nowMs(), isToHost: true, bytes }));
      passOn(far, near, delayMs, (bytes) => bursts.push({ atMs: nowMs(), isToHost: false, bytes }));
    });
    far.on('error', () => near.destroy());
    near.on('error', () => far.destroy());
  }
  server.listen({ host: '0.0.0.0', port: 0, backlog: 2000 });
  await new Promise((resolve) => server.once('listening', resolve));
  // It listens on TCP.
  const { port } = server.address() as AddressInfo;
  const hosts = targets.hosts.map((host, i) => ({ ...host, address: addresses[i] ?? '', port }));
  return {
    targets: { ...targets, hosts },
    links,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** With parts of a millisecond, which Date has not. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Timers of the same delay fire in the order in which they were set, so that nothing overtakes anything. */
function passOn(from: Socket, to: Socket, delayMs: number, onBytes: (bytes: number) => void): void {
  from.on('data', (chunk: Buffer) => {
    onBytes(chunk.length);
    if (delayMs === 0) to.write(chunk);
    else setTimeout(() => to.write(chunk), delayMs);
  });
  from.on('end', () => setTimeout(() => to.end(), delayMs));
  from.on('close', () => setTimeout(() => to.destroySoon(), delayMs));
}

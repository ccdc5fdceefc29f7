import type { OnConnectWait } from '../transport/transport.ts';

/** Hands what a connect waits for to everyone who waits for that connection. */
export interface ConnectWaits {
  /** A connect to a host has come so far. */
  tell(host: string, wait: Parameters<OnConnectWait>[0]): void;
  /** Tells `onWait` how far the host's connect has come, and goes on until it has ended. */
  during<T>(host: string, connecting: Promise<T>, onWait: OnConnectWait | undefined): Promise<T>;
}

/** Nobody waits yet. */
export function createConnectWaits(): ConnectWaits {
  const listeners = new Map<string, Set<OnConnectWait>>();
  const waits = new Map<string, Parameters<OnConnectWait>[0]>();
  return {
    tell(host, wait) {
      waits.set(host, wait);
      for (const listener of listeners.get(host) ?? []) listener(wait);
    },
    async during(host, connecting, onWait) {
      if (!onWait) return connecting;
      const known = waits.get(host);
      if (known) onWait(known);
      const all = listeners.get(host) ?? new Set();
      listeners.set(host, all.add(onWait));
      try {
        return await connecting;
      } finally {
        all.delete(onWait);
      }
    },
  };
}

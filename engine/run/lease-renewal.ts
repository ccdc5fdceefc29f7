import type { Clock } from '../base/clock.ts';

/** Keeps a lease while it is held. */
export interface Renewal {
  /** Aborts a renewal that is being made, and makes no other. */
  stop(): Promise<void>;
}

/**
 * Calls `renew` every so many milliseconds, one call after the other, until it says false or the renewal is stopped. No
 * task waits for it. `renew` must not reject.
 */
export function startRenewal(clock: Clock, everyMs: number, renew: (signal: AbortSignal) => Promise<boolean>): Renewal {
  const stopping = new AbortController();
  const { signal } = stopping;
  const ended = keepRenewing();
  return {
    stop() {
      stopping.abort(new Error('the lease is given back'));
      return ended;
    },
  };

  async function keepRenewing(): Promise<void> {
    // The clock rejects when it is to stop, and only then.
    const hasSlept = (): Promise<boolean> =>
      clock.sleep(everyMs, signal).then(
        () => true,
        () => false,
      );
    while (await hasSlept()) if (!(await renew(signal)) || signal.aborted) return;
  }
}

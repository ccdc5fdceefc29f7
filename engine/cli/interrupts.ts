import { setMaxListeners } from 'node:events';
import { type Clock, systemClock } from '../base/clock.ts';

/** The two stages in which a run can be ended from outside; a third signal ends the process. */
export interface Interrupts {
  /** Start nothing new, finish what is in flight. */
  readonly signal: AbortSignal;
  /** Abort what is in flight. */
  readonly abort: AbortSignal;
  /** Stops listening. */
  [Symbol.dispose](): void;
}

/** What is done about interrupts. */
export interface InterruptOptions {
  /** Tells what was understood. */
  readonly note: (text: string) => void;
  /** The third stage. */
  readonly exitNow: () => void;
  /** After SIGTERM the second stage comes by itself: whoever sent it is about to send SIGKILL. */
  readonly graceMs: number;
  readonly clock?: Pick<Clock, 'sleep'>;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Listens to Ctrl-C, `kill` and a closed terminal. */
export function watchInterrupts(
  source: NodeJS.EventEmitter,
  { note, exitNow, graceMs, clock = systemClock }: InterruptOptions,
): Interrupts {
  const gentle = new AbortController();
  const hard = new AbortController();
  const over = new AbortController();
  // Every host listens; Node takes more than ten for a leak.
  setMaxListeners(0, gentle.signal, hard.signal);
  let received = 0;
  const stopInFlight = (reason: Error): void => {
    received = 2;
    over.abort(reason);
    hard.abort(reason);
    note('aborting tasks in flight, and cleaning up what needs no host; press Ctrl-C again to exit at once');
  };
  const onSignal = (name: NodeJS.Signals): void => {
    received++;
    const reason = new Error(`interrupted by ${name}`);
    if (received > 2) return exitNow();
    if (received === 2) return stopInFlight(reason);
    gentle.abort(reason);
    const isTerm = name === 'SIGTERM';
    const deadline = isTerm ? `; what is left after ${graceMs / 1000} s is aborted` : '';
    note(`finishing tasks in flight${deadline}; press Ctrl-C again to abort them`);
    // The clock rejects when the run is over, or when a second signal was faster.
    if (isTerm)
      void clock.sleep(graceMs, over.signal).then(
        () => stopInFlight(reason),
        () => undefined,
      );
  };
  for (const name of signals) source.on(name, onSignal);
  return {
    signal: gentle.signal,
    abort: hard.signal,
    [Symbol.dispose]() {
      over.abort(new Error('the run is over'));
      for (const name of signals) source.removeListener(name, onSignal);
    },
  };
}

import { setMaxListeners } from 'node:events';

/** The two stages in which a run can be ended from outside; a third signal ends the process. */
export interface Interrupts {
  /** Start nothing new, finish what is in flight. */
  readonly signal: AbortSignal;
  /** Abort what is in flight. */
  readonly abort: AbortSignal;
  /** Stops listening. */
  [Symbol.dispose](): void;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Listens to Ctrl-C, `kill` and a closed terminal. `note` tells what was understood, `exitNow` is the third stage. */
export function watchInterrupts(
  source: NodeJS.EventEmitter,
  { note, exitNow }: { note: (text: string) => void; exitNow: () => void },
): Interrupts {
  const gentle = new AbortController();
  const hard = new AbortController();
  // Every host listens; Node takes more than ten for a leak.
  setMaxListeners(0, gentle.signal, hard.signal);
  let received = 0;
  const onSignal = (name: NodeJS.Signals): void => {
    received++;
    const reason = new Error(`interrupted by ${name}`);
    if (received === 1) {
      gentle.abort(reason);
      note('finishing tasks in flight; press Ctrl-C again to abort them');
    } else if (received === 2) {
      hard.abort(reason);
      note('aborting tasks in flight; press Ctrl-C again to exit at once');
    } else exitNow();
  };
  for (const name of signals) source.on(name, onSignal);
  return {
    signal: gentle.signal,
    abort: hard.signal,
    [Symbol.dispose]() {
      for (const name of signals) source.removeListener(name, onSignal);
    },
  };
}

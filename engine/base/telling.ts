import type { WaitView } from './events.ts';

/** A wait that is over sooner is not worth an event. */
const quietMs = 2000;

/**
 * Tells what is waited for while `body` takes its time, and that it is over. `body` gets a function to say what it waits
 * for by now.
 */
export type Telling = <T>(wait: Wait, body: (change: (wait: Wait) => void) => Promise<T>) => Promise<T>;

/** What is waited for, from now on. */
type Wait = Omit<WaitView, 'sinceMs'>;

/** Calls `job` after some time, unless the function that it gives is called before. */
export type Later = (ms: number, job: () => void) => () => void;

/** Makes a {@link Telling} that hands waits to `tell`; the one that is over has an empty text. */
export function createTelling(
  clock: { now(): number },
  tell: (wait: WaitView) => void,
  later: Later = afterwards,
): Telling {
  return async (wait, body) => {
    const sinceMs = clock.now();
    let current = wait;
    let isTold = false;
    const say = (): void => {
      isTold = true;
      tell({ ...current, sinceMs });
    };
    const cancel = later(quietMs, say);
    try {
      return await body((next) => {
        current = next;
        if (isTold) say();
      });
    } finally {
      cancel();
      if (isTold) tell({ text: '', sinceMs });
    }
  };
}

/** For work of which nobody is told. */
export const untold: Telling = (_wait, body) => body(() => {});

const afterwards: Later = (ms, job) => {
  const timer = setTimeout(job, ms);
  timer.unref();
  return () => clearTimeout(timer);
};

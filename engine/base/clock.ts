import { errorMessage, RunbookError } from './errors.ts';

/** Time, passed in so that tests need no waiting. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with `interrupted` when the signal is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node turns a longer timer into one of a millisecond: 24 days. */
export const longestTimerMs = 2 ** 31 - 1;

/**
 * The machine's own clock as it was set when the process began: it goes on evenly when somebody sets the clock, so that a
 * deadline neither passes at once nor never.
 */
export const systemClock: Clock = {
  now: () => Math.round(performance.timeOrigin + performance.now()),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(interruption(signal));
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(interruption(signal));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

function interruption(signal: AbortSignal | undefined): RunbookError {
  const reason: unknown = signal?.reason;
  return reason instanceof RunbookError ? reason : new RunbookError('interrupted', errorMessage(reason));
}

/** Writes a duration for people: `850 ms`, `4.2 s`, `3 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

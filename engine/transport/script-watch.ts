import { longestTimerMs } from '../base/clock.ts';
import { withResolvers } from '../base/with-resolvers.ts';
import type { ScriptParts } from './transport.ts';

/** Why a script is not waited for any more. */
export type Interruption = { readonly timeoutMs: number } | { readonly aborted: unknown };

/** Watches over a script: whoever waits for its end is told when its time is up, or when it is to be stopped. */
export interface ScriptWatch {
  readonly interruption: Promise<Interruption>;
  /** From now on it has its time, or from when its user was become: that has a deadline of its own. */
  start(entered: Promise<void>, timeoutMs: number): void;
  /** So many marks have come: the next part has its time from now on. */
  partsEnded(count: number): void;
  stop(): void;
}

/** Makes one; `parts` have times of their own. It does nothing before it is started. */
export function createScriptWatch({
  signal,
  parts,
}: {
  readonly signal: AbortSignal | undefined;
  readonly parts?: ScriptParts | undefined;
}): ScriptWatch {
  const { promise, resolve } = withResolvers<Interruption>();
  const timers: { all?: NodeJS.Timeout; part?: NodeJS.Timeout } = {};
  // The first one stands before the first part, whose time is that of the script: behind the mark with the number n, counted
  // from 1, the part with that number begins, and `timeoutsMs` begins with the second part.
  let marks = 0;
  let state: 'waiting' | 'started' | 'stopped' = 'waiting';
  let allMs = 0;
  const timer = (ms: number): NodeJS.Timeout =>
    setTimeout(() => resolve({ timeoutMs: ms }), Math.min(ms, longestTimerMs));
  const setTimers = (withAll: boolean): void => {
    if (state !== 'started') return;
    const isRest = parts !== undefined && marks > 1;
    if (withAll) {
      clearTimeout(timers.all);
      timers.all = timer(isRest ? parts.restMs : allMs);
    }
    clearTimeout(timers.part);
    const partMs = isRest ? parts.timeoutsMs[marks - 2] : undefined;
    if (partMs !== undefined) timers.part = timer(partMs);
  };
  const onAbort = (): void => resolve({ aborted: signal?.reason });
  return {
    interruption: promise,
    start(entered, timeoutMs) {
      allMs = timeoutMs;
      if (signal?.aborted) onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      const begin = (): void => {
        if (state !== 'waiting') return;
        state = 'started';
        setTimers(true);
      };
      // Where it was refused the process ends, which is told.
      entered.then(begin, () => undefined);
    },
    partsEnded(count) {
      if (count === 0) return;
      const hadEnded = marks > 1;
      marks += count;
      const isRest = !hadEnded && marks > 1;
      // What comes after the first part has another time in all.
      setTimers(isRest);
      if (isRest) parts?.onRest?.();
    },
    stop() {
      state = 'stopped';
      clearTimeout(timers.all);
      clearTimeout(timers.part);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

/** Counts how often a word ends in each chunk of a stream. */
export function createWordCounter(word: string): (chunk: Buffer) => number {
  let carried = '';
  return (chunk) => {
    const pieces = (carried + chunk.toString('latin1')).split(word);
    carried = (pieces.at(-1) ?? '').slice(1 - word.length);
    return pieces.length - 1;
  };
}

import type { WaitReport } from './waits.ts';

/** Nobody should look longer than this at a screen that says nothing. */
const firstMs = 10_000;
/** The same is said again after this long. */
const againMs = 30_000;

/** Knows when a silence has lasted long enough to say what is waited for. Times are milliseconds since the epoch. */
export interface Silence {
  /** Something else was said. */
  spoke(nowMs: number): void;
  /** The lines that are due. */
  linesDue(nowMs: number): readonly string[];
}

/** Makes a silence that begins now; `describe` says what is waited for. */
export function createSilence(nowMs: number, describe: (nowMs: number) => WaitReport): Silence {
  let spokeMs = nowMs;
  let told: { readonly atMs: number; readonly key: string } | undefined;
  return {
    spoke(now) {
      spokeMs = now;
      told = undefined;
    },
    linesDue(now) {
      // A clock that is set back must not make the silence longer.
      spokeMs = Math.min(spokeMs, now);
      if (now - (told?.atMs ?? spokeMs) < firstMs) return [];
      const { lines, key } = describe(now);
      if (lines.length === 0 || (told?.key === key && now - told.atMs < againMs)) return [];
      told = { atMs: now, key };
      return lines;
    },
  };
}

import pLimit, { type LimitFunction } from 'p-limit';
import type { TaskEnd } from './judgement.ts';

/** What a `run_once` task did, and on which host. */
export interface OnceResult extends TaskEnd {
  readonly host: string;
}

/** The `run_once` tasks of a run, or of a batch. */
export interface OnceResults {
  /**
   * The result under a key. `telling` says that it is waited for. While there is none, `run` is to make it; whoever asks in the meantime waits, and has the next
   * turn when nothing came of it.
   */
  of(
    key: string,
    run: () => Promise<OnceResult | undefined>,
    telling?: (body: () => Promise<unknown>) => Promise<unknown>,
  ): Promise<OnceResult | undefined>;
}

/** Nothing was run yet. */
export function createOnceResults(): OnceResults {
  const known = new Map<string, { readonly inTurn: LimitFunction; result?: OnceResult }>();
  return {
    async of(key, run, telling = (body) => body()) {
      const entry: { readonly inTurn: LimitFunction; result?: OnceResult } = known.get(key) ?? { inTurn: pLimit(1) };
      known.set(key, entry);
      let begin = (): void => {};
      const begun = new Promise<void>((resolve) => {
        begin = resolve;
      });
      const end = entry.inTurn(async () => {
        begin();
        const result = entry.result ?? (await run());
        if (result) entry.result = result;
        return result;
      });
      await telling(() => Promise.race([begun, end]));
      return end;
    },
  };
}

import { createHash, randomBytes } from 'node:crypto';

/** Names the effects of one task on one host, in the order in which they are run. */
export interface EffectIds {
  /** All of them begin with it, whichever attempt they are of. */
  readonly prefix: string;
  /** The effects that follow are of this attempt, counted from 1. */
  startAttempt(number: number): void;
  /** The id of the next effect; `what` tells effects apart of which another process runs other ones in between. */
  next(what: string): string;
}

/**
 * Makes ids that a later process of the same run makes again, so that it finds what this one started. `of` says of what
 * they are: run, task, host, item, and how often that was begun. Without it they are like no others.
 */
export function createEffectIds(of: () => readonly string[] = () => [randomBytes(16).toString('hex')]): EffectIds {
  let made: string | undefined;
  // Most tasks have no effect.
  const prefix = (): string => {
    made ??= `${digest(JSON.stringify(of())).slice(0, 20)}-`;
    return made;
  };
  let attempt = 1;
  let step = 0;
  return {
    get prefix() {
      return prefix();
    },
    startAttempt(number) {
      attempt = number;
      step = 0;
    },
    next: (what) => `${prefix()}${attempt}.${++step}-${digest(what).slice(0, 8)}`,
  };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

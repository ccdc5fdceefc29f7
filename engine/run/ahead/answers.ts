import type { ProbeOutput } from '../../module/contract.ts';

/** What a host answered to questions that were not asked yet: each answer is good once, for a while. */
export interface Answers {
  /** Of one that is dated, so old that nobody is to act on it, `isEnough` says whether it is enough all the same. */
  take(key: string, isEnough: (dated: ProbeOutput) => boolean): ProbeOutput | undefined;
  /** Whether there is one that may be acted upon. */
  has(key: string): boolean;
  /** Questions are asked now. */
  asking(): Asking;
  /** The host may be another from here on. */
  forget(): void;
  /**
   * The host is at work until the function that is given is called: answers do not outlive more than a moment of it. What
   * time it spends until other hosts come so far is another thing.
   */
  atWork(): () => void;
  /** A question that had no answer in time is asked by itself from now on. */
  askAlone(key: string): void;
  isAskedAlone(key: string): boolean;
  /**
   * How many questions it is worth asking ahead: as many as were wanted between the last two acts, where others were
   * forgotten or too old; twice as many where all were wanted.
   */
  readonly reach: number;
}

/** Questions that are being asked. */
export interface Asking {
  /** Keeps an answer; of no use once the host was acted on. */
  keep(key: string, answer: ProbeOutput): void;
  /** The host was not acted on since. */
  readonly isCurrent: boolean;
}

/** The bound of {@link Answers.reach}. */
const reachAtMost = 32;
/** Hosts change by themselves, too. With a thousand of them a task takes longer than this. */
const freshForMs = 30_000;
const goodForMs = 10 * 60_000;
/** Of the time that the host is at work: whoever waits for something wants to know how it is then. */
const goodForWorkMs = 3000;

interface Kept {
  readonly answer: ProbeOutput;
  readonly askedAt: number;
  /** How long the host had been at work when the answer came. */
  readonly atWorkMs: number;
}

/** Makes what holds the answers of one host. */
export function createAnswers(now: () => number): Answers {
  const kept = new Map<string, Kept>();
  const alone = new Set<string>();
  let reach = reachAtMost;
  let acts = 0;
  let wanted = 0;
  let workedMs = 0;
  const working = { tasks: 0, sinceMs: 0 };
  const atWorkMs = (): number => workedMs + (working.tasks > 0 ? now() - working.sinceMs : 0);
  const good = (key: string): Kept | undefined => {
    const entry = kept.get(key);
    if (!entry) return undefined;
    if (now() - entry.askedAt <= goodForMs && atWorkMs() - entry.atWorkMs <= goodForWorkMs) return entry;
    kept.delete(key);
    return undefined;
  };
  const isDated = ({ askedAt }: Kept): boolean => now() - askedAt > freshForMs;
  const askLess = (): void => {
    reach = Math.max(1, wanted);
    wanted = 0;
  };
  return {
    take(key, isEnough) {
      const entry = good(key);
      if (!entry) return undefined;
      kept.delete(key);
      if (isDated(entry) && !isEnough(entry.answer)) {
        askLess();
        return undefined;
      }
      wanted++;
      if (kept.size === 0) reach = Math.min(reachAtMost, 2 * reach);
      return entry.answer;
    },
    has(key) {
      const entry = good(key);
      return entry !== undefined && !isDated(entry);
    },
    asking() {
      const since = acts;
      const askedAt = now();
      return {
        keep(key, answer) {
          if (acts === since) kept.set(key, { answer, askedAt, atWorkMs: atWorkMs() });
        },
        get isCurrent() {
          return acts === since;
        },
      };
    },
    forget() {
      acts++;
      if (kept.size > 0) askLess();
      wanted = 0;
      kept.clear();
    },
    atWork() {
      if (working.tasks++ === 0) working.sinceMs = now();
      return () => {
        if (--working.tasks === 0) workedMs += now() - working.sinceMs;
      };
    },
    askAlone: (key) => alone.add(key),
    isAskedAlone: (key) => alone.has(key),
    get reach() {
      return reach;
    },
  };
}

import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { revealText } from '../../base/secret.ts';
import type { Script } from '../../base/sh.ts';
import type { ProbeOutput } from '../../module/contract.ts';
import { CutShortError } from '../../transport/shell.ts';
import type {
  Become,
  Connection,
  Environment,
  RunOptions,
  ScriptParts,
  ScriptResult,
} from '../../transport/transport.ts';
import type { Answers } from './answers.ts';
import { createProbeBatch } from './batch.ts';

/** A probe, as it is sent to a host. */
export interface Question {
  readonly script: Script;
  readonly become: Become | undefined;
  /** How long it may take; with others that are asked ahead, perhaps less. */
  readonly timeoutMs: number;
  /** Two questions with one key have one answer. */
  readonly key: string;
  /** The environment of its script, as a text. */
  readonly environmentText: string;
}

/** Makes a question. `askedBy` says which task asks, in which turn, for which item. */
export function createQuestion(
  askedBy: string,
  { script, timeoutMs }: { readonly script: Script; readonly timeoutMs: number },
  become: Become | undefined,
  environment: Environment,
): Question {
  const environmentText = JSON.stringify(revealed(environment));
  const key = `${askedBy}\n${shellOf(become)}\n${environmentText}\n${script.text}`;
  return { script, become, timeoutMs, environmentText, key };
}

/** Whose shell a script goes to; `login`: who it is run as that becomes nobody. */
function shellOf(become: Become | undefined, login?: string): string {
  return become === undefined || become.user === login ? '' : `${become.method} ${become.user}`;
}

function revealed(environment: Environment): readonly (readonly [string, string])[] {
  const entries = Object.entries(environment).map(([name, value]) => [name, revealText(value)] as const);
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What a host answered. */
export interface Answer extends ProbeOutput {
  /** How long its script went on for others when it was there: time that the one who asked did not take. Milliseconds. */
  readonly othersMs: number;
}

/** What is worked with when a host is asked ahead. */
export interface AskingAhead {
  readonly answers: Answers;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** What the coming tasks will ask, as far as it can be told now; at most so many questions that are wanted. */
  readonly coming: (atMost: number, isWanted: (question: Question) => boolean) => Promise<readonly Question[]>;
}

/**
 * Asks a host, and with the same script what coming tasks will ask of it. An answer that came ahead is taken where exactly
 * the same is asked, by the task that it was meant for, and nothing was done to the host since. Of one that is dated
 * `isEnough` says whether it is enough; otherwise the host is asked again.
 */
export async function askAhead(
  connection: Connection,
  question: Question,
  options: RunOptions,
  asking: AskingAhead,
  isEnough: (dated: ProbeOutput) => boolean = () => false,
): Promise<Answer> {
  const { answers, clock } = asking;
  const { keep } = answers.asking();
  const known = answers.take(question.key, isEnough);
  if (known) return answerOf(known);
  const others = await comingWith(question, options.timeoutMs, connection.user, asking);
  const together = askedTogether(question, others, clock);
  const asked = connection.run(together.script, { ...options, parts: together.parts });
  const own = await together.answered(asked, keep, answers);
  // Without an answer the shell of all of them was killed.
  return own ?? answerOf(await connection.run(question.script, options));
}

/** What coming tasks will ask, as far as it can be asked with this question: with one script, so of one user and environment. */
export async function comingWith(
  { key, become, environmentText }: Question,
  timeoutMs: number,
  login: string | undefined,
  { answers, coming }: AskingAhead,
): Promise<readonly Question[]> {
  // The others may take time that this one would lack.
  if (answers.isAskedAlone(key) || timeoutMs < 2 * restMs) return [];
  return coming(
    answers.reach,
    (other) =>
      other.key !== key &&
      other.environmentText === environmentText &&
      shellOf(other.become, login) === shellOf(become, login) &&
      !answers.has(other.key) &&
      !answers.isAskedAlone(other.key),
  );
}

/** How long a question may take that is asked ahead. When its turn comes it is asked again, with the time that it has. */
const aheadMs = 5000;
/** How long all of them may take together: somebody waits to act on the answer to the first question. */
const restMs = 10_000;

/** A question and those that are asked with it, as one script. */
export interface Together {
  readonly script: Script;
  /** See {@link RunOptions.parts}; undefined where nothing is asked with it. */
  readonly parts: ScriptParts | undefined;
  /**
   * Gives the answer to the first question, and has those to the others kept. Undefined when it was not answered, though
   * nothing was wrong with it. Rejects as the question does.
   */
  answered(
    result: Promise<ScriptResult>,
    keep: (key: string, answer: ProbeOutput) => void,
    answers: Pick<Answers, 'askAlone'>,
  ): Promise<Answer | undefined>;
}

function answerOf({ rc, stdout, stderr }: ProbeOutput, othersMs = 0): Answer {
  return { rc, stdout, stderr, othersMs };
}

/** Makes one script of several questions. */
export function askedTogether(question: Question, others: readonly Question[], clock: Pick<Clock, 'now'>): Together {
  if (others.length === 0) {
    return { script: question.script, parts: undefined, answered: async (result) => answerOf(await result) };
  }
  const batch = createProbeBatch(
    [question, ...others].map(({ script }) => script),
    randomBytes(16).toString('hex'),
  );
  const timeoutsMs = others.map(({ timeoutMs }) => Math.min(timeoutMs, aheadMs));
  let restSinceMs: number | undefined;
  const onRest = (): void => {
    restSinceMs = clock.now();
  };
  return {
    script: batch.script,
    parts: { mark: batch.mark, timeoutsMs, restMs, onRest },
    async answered(result, keep, answers) {
      const { printed, failure } = await printedBy(result);
      const othersMs = restSinceMs === undefined ? 0 : clock.now() - restSinceMs;
      const [own, ...found] = batch.read(printed);
      if (!own && failure) throw failure;
      if (!own) return undefined;
      for (const [i, { key }] of others.entries()) {
        const answer = found[i];
        if (answer) keep(key, answer);
        else {
          // It hung, printed without end or ended the shell: that is seen when its turn comes. The ones after it were not asked.
          answers.askAlone(key);
          break;
        }
      }
      return answerOf(own, othersMs);
    },
  };
}

async function printedBy(
  result: Promise<ScriptResult>,
): Promise<{ readonly printed: Pick<ScriptResult, 'stdout' | 'stderr'>; readonly failure?: CutShortError }> {
  try {
    return { printed: await result };
  } catch (error) {
    if (!(error instanceof CutShortError) || error.code === 'interrupted') throw error;
    return { printed: error.printed, failure: error };
  }
}

import { RunbookError } from '../../base/errors.ts';
import { ShellEndedError } from '../../transport/shell.ts';
import type { ScriptBehind, ScriptResult } from '../../transport/transport.ts';
import type { Asking } from './answers.ts';
import { type Answer, type AskingAhead, askedTogether, comingWith, type Question } from './ask.ts';

/**
 * What is asked right behind an effect: how the host is now, and what coming tasks will ask of it. It is sent along with the
 * effect, before anybody knows how that ends, so that a change costs one round trip; where it turns out that something else
 * is done next, the answers are dropped.
 */
export interface QuestionBehind {
  readonly sent: ScriptBehind;
  /**
   * The effect has ended; call it in place of `forget`, which has the host's answers forgotten: these were given after it, and
   * are good unless somebody else acted on the host meanwhile.
   */
  effectEnded(forget: () => void): void;
  /** The answer to just this question; undefined where there is none, or none that is good. Rejects as the question does. */
  answerTo(question: Question): Promise<Answer | undefined>;
  /** Nobody wants the answers any more. Resolves when nothing of it runs: it has a moment left, and is killed then. */
  drop(): Promise<void>;
}

/** To kill it costs more than most answers take. */
const momentMs = 1000;

/** Makes it, before the effect is sent; `question` is the one that follows. */
export async function askBehind(
  question: Question,
  { signal, ...options }: Pick<ScriptBehind, 'environment' | 'timeoutMs' | 'timeLeftMs' | 'signal'>,
  login: string | undefined,
  asking: AskingAhead,
): Promise<QuestionBehind> {
  const { answers, clock } = asking;
  const before = answers.asking();
  const others = await comingWith(question, options.timeoutMs, login, asking);
  const { script, parts, answered } = askedTogether(question, others, clock);
  const unwanted = new AbortController();
  let result: Promise<ScriptResult> | undefined;
  let after: Asking | undefined;
  let isTaken = false;
  return {
    sent: {
      ...options,
      script,
      parts,
      signal: signal ? AbortSignal.any([signal, unwanted.signal]) : unwanted.signal,
      onSent: (answer) => {
        result = answer;
      },
    },
    effectEnded(forget) {
      const { isCurrent } = before;
      forget();
      if (isCurrent) after = answers.asking();
    },
    async answerTo({ key }) {
      if (key !== question.key || isTaken || !result || !after?.isCurrent) return undefined;
      // Like all answers it is good once.
      isTaken = true;
      const own = await answered(result, after.keep, answers).catch(orNothing);
      return after.isCurrent ? own : undefined;
    },
    async drop() {
      if (!result) return;
      const ended = result.then(
        () => undefined,
        () => undefined,
      );
      const inTime = new AbortController();
      const moment = clock.sleep(momentMs, inTime.signal).catch(() => undefined);
      await Promise.race([ended, moment]).finally(() => inTime.abort(new Error('it has ended')));
      unwanted.abort(new Error('nobody waits for the answer'));
      await ended;
    },
  };
}

/** The effect may have ended the shell, or the link is lost: then nobody was asked. */
function orNothing(error: unknown): undefined {
  const isLinkLost = error instanceof RunbookError && error.code === 'unreachable';
  if (isLinkLost || error instanceof ShellEndedError) return undefined;
  throw error;
}

import { RunbookError } from '../../base/errors.ts';
import type { ProbeOutput } from '../../module/contract.ts';
import { ShellEndedError } from '../../transport/shell.ts';
import type { RunOptions, ScriptBehind, ScriptResult } from '../../transport/transport.ts';
import type { Asking } from './answers.ts';
import { type AskingAhead, askedTogether, comingWith, type Question } from './ask.ts';

/**
 * What is asked right behind an effect: how the host is now, and what coming tasks will ask of it. It is sent along with the
 * effect, before anybody knows how that ends, so that a change costs one round trip; where it turns out that something else
 * is done next, the answers are dropped.
 */
export interface QuestionBehind {
  readonly sent: ScriptBehind;
  /**
   * The effect has ended; call it in place of \`forget\`, which has the host's answers forgotten: these were given after it, and
   * are good unless somebody else acted on the host meanwhile.
   */
  effectEnded(forget: () => void): void;
  /** The answer to just this question; undefined where there is none, or none that is good. Rejects as the question does. */
  answerTo(question: Question): Promise<ProbeOutput | undefined>;
}

/** Makes it, before the effect is sent; \`question\` is the one that follows. \`isAlone\`: nothing is asked with it. */
export async function askBehind(
  question: Question,
  { environment, timeoutMs }: Pick<RunOptions, 'environment' | 'timeoutMs'>,
  { isAlone, ...asking }: AskingAhead & { readonly isAlone: boolean },
): Promise<QuestionBehind> {
  const { answers } = asking;
  const before = answers.asking();
  const coming = isAlone ? [] : await comingWith(question, timeoutMs, asking);
  const { script, parts, answered } = askedTogether(question, coming);
  let result: Promise<ScriptResult> | undefined;
  let after: Asking | undefined;
  return {
    sent: {
      script,
      parts,
      environment,
      timeoutMs,
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
      if (key !== question.key || !result || !after?.isCurrent) return undefined;
      const asked = result;
      // Like all answers it is good once.
      result = undefined;
      const own = await answered(asked, after.keep, answers).catch(orNothing);
      return after.isCurrent ? own : undefined;
    },
  };
}

/** The effect may have ended the shell, or the link is lost: then nobody was asked. */
function orNothing(error: unknown): undefined {
  const isLinkLost = error instanceof RunbookError && error.code === 'unreachable';
  if (isLinkLost || error instanceof ShellEndedError) return undefined;
  throw error;
}

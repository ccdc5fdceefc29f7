import { randomBytes } from 'node:crypto';
import { revealText } from '../../base/secret.ts';
import type { Script } from '../../base/sh.ts';
import type { ProbeOutput } from '../../module/contract.ts';
import { CutShortError } from '../../transport/shell.ts';
import type { Become, Connection, Environment, RunOptions } from '../../transport/transport.ts';
import type { Answer, Answers } from './answers.ts';
import { createProbeBatch } from './batch.ts';

/** A probe, as it is sent to a host. */
export interface Question {
  readonly script: Script;
  readonly become: Become | undefined;
  /** How long it may take; with others that are asked ahead, perhaps less. */
  readonly timeoutMs: number;
  /** Two questions with one key have one answer. */
  readonly key: string;
  /** Only questions with one user and one environment are asked with one script. */
  readonly setting: string;
}

/** Makes a question. `asker` says which task asks, in which turn, for which item. */
export function createQuestion(
  asker: string,
  { script, timeoutMs }: { readonly script: Script; readonly timeoutMs: number },
  become: Become | undefined,
  environment: Environment,
): Question {
  const user = become === undefined ? '' : `${become.method} ${become.user}`;
  const setting = JSON.stringify([user, ...revealed(environment)]);
  return { script, become, timeoutMs, setting, key: `${asker}\n${setting}\n${script.text}` };
}

function revealed(environment: Environment): readonly (readonly [string, string])[] {
  const entries = Object.entries(environment).map(([name, value]) => [name, revealText(value)] as const);
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What is worked with when a host is asked ahead. */
export interface AskingAhead {
  readonly answers: Answers;
  /** What the coming tasks will ask, as far as it can be told now; at most so many questions that are wanted. */
  readonly coming: (atMost: number, isWanted: (question: Question) => boolean) => Promise<readonly Question[]>;
}

/**
 * Asks a host, and with the same script what coming tasks will ask of it. An answer that came ahead is taken where exactly
 * the same is asked, by the task that it was meant for, and nothing was done to the host since.
 */
export async function askAhead(
  connection: Connection,
  question: Question,
  options: RunOptions,
  { answers, coming }: AskingAhead,
): Promise<Answer> {
  const { key, setting } = question;
  const keep = answers.asking();
  const known = answers.take(key);
  if (known) return known;
  const alone = async (): Promise<Answer> => ({ ...(await connection.run(question.script, options)), isDated: false });
  // The others may take time that this one would lack.
  if (answers.isAskedAlone(key) || options.timeoutMs < 2 * restMs) return alone();
  const canBeAsked = (other: Question): boolean =>
    other.key !== key && other.setting === setting && !answers.has(other.key) && !answers.isAskedAlone(other.key);
  const more = await coming(answers.reach, canBeAsked);
  if (more.length === 0) return alone();
  const { found, failure } = await askTogether(connection, [question, ...more], options);
  const [own, ...others] = found;
  if (!own && failure) throw failure;
  // The shell of the batch was killed.
  if (!own) return alone();
  for (const [i, { key: asked }] of more.entries()) {
    const answer = others[i];
    if (answer) keep(asked, answer);
    else {
      // It hung, printed without end or ended the shell: that is seen when its turn comes. The ones after it were not asked.
      answers.askAlone(asked);
      break;
    }
  }
  return { ...own, isDated: false };
}

/** How long a question may take that is asked ahead. When its turn comes it is asked again, with the time that it has. */
const aheadMs = 5000;
/** How long all of them may take together: somebody waits to act on the answer to the first question. */
const restMs = 10_000;

/** Asks several questions with one script, the first with the time of `options`. */
async function askTogether(
  connection: Connection,
  questions: readonly [Question, ...Question[]],
  options: RunOptions,
): Promise<{ readonly found: readonly (ProbeOutput | undefined)[]; readonly failure?: CutShortError }> {
  const batch = createProbeBatch(
    questions.map(({ script }) => script),
    randomBytes(16).toString('hex'),
  );
  const timeoutsMs = questions.slice(1).map(({ timeoutMs }) => Math.min(timeoutMs, aheadMs));
  const parts = { mark: batch.mark, timeoutsMs, restMs };
  try {
    return { found: batch.read(await connection.run(batch.script, { ...options, parts })) };
  } catch (error) {
    if (error instanceof CutShortError && error.code !== 'interrupted') {
      return { found: batch.read(error.printed), failure: error };
    }
    throw error;
  }
}

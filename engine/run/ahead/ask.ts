import { randomBytes } from 'node:crypto';
import { RunbookError } from '../../base/errors.ts';
import { revealText } from '../../base/secret.ts';
import type { Script } from '../../base/sh.ts';
import type { ProbeOutput } from '../../module/contract.ts';
import type { Become, Connection, Environment, RunOptions } from '../../transport/transport.ts';
import type { Answer, Answers } from './answers.ts';
import { createProbeBatch } from './batch.ts';

/** A probe, as it is sent to a host. */
export interface Question {
  readonly script: Script;
  readonly become: Become | undefined;
  /** How long it may take when it is asked by itself. */
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
  /** What the coming tasks will ask, as far as it can be told now; at most so many questions. */
  readonly coming: (atMost: number) => Promise<readonly Question[]>;
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
  if (answers.isAskedAlone(key) || isHasty(options)) return alone();
  const canBeAsked = (other: Question): boolean =>
    other.key !== key &&
    other.setting === setting &&
    !isHasty(other) &&
    !answers.has(other.key) &&
    !answers.isAskedAlone(other.key);
  const more = (await coming(answers.reach)).filter(canBeAsked);
  if (more.length === 0) return alone();
  const all = [question, ...more];
  const found = await askTogether(connection, all, options);
  const firstUnanswered = found ? found.indexOf(undefined) : -1;
  for (const [i, asked] of all.entries()) {
    const answer = found?.[i];
    // It hung or printed without end: that is seen when its turn comes.
    if (!found || i === firstUnanswered) answers.askAlone(asked.key);
    else if (i > 0 && answer) keep(asked.key, answer);
  }
  const own = found?.[0];
  return own ? { ...own, isDated: false } : alone();
}

/** Its time would be over before a batch's. */
function isHasty({ timeoutMs }: Pick<RunOptions, 'timeoutMs'>): boolean {
  return timeoutMs < 2 * batchMs;
}

/** How long all questions of a batch may take; the first one that has no answer by then is asked by itself. */
const batchMs = 10_000;

/** Undefined where none of the answers can be had. */
async function askTogether(
  connection: Connection,
  questions: readonly Question[],
  options: RunOptions,
): Promise<readonly (ProbeOutput | undefined)[] | undefined> {
  const scripts = questions.map(({ script }) => script);
  const batch = createProbeBatch(scripts, randomBytes(16).toString('hex'), batchMs / 1000);
  try {
    return batch.read(await connection.run(batch.script, { ...options, timeoutMs: batchMs + 5000 }));
  } catch (error) {
    // One of them floods, and nobody knows which: each is asked by itself.
    if (error instanceof RunbookError && (error.code === 'timeout' || error.code === 'task-failed')) return undefined;
    throw error;
  }
}

import { RunbookError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Play, Prompt } from '../language/playbook.ts';
import type { Answers } from '../run/request.ts';
import type { Cli } from './cli.ts';
import { askPassword, askText } from './passwords.ts';

/**
 * Asks for what `vars_prompt` of the plays wants and `-e` does not give, all of it before the first play. Without a
 * terminal the default is the answer. Raises `usage` where there is neither.
 */
export async function askPrompts(
  cli: Cli,
  plays: readonly Play[],
  extraVars: Readonly<Record<string, unknown>>,
): Promise<Answers> {
  const answers = new Map<string, Record<string, unknown>>();
  // Plays that ask the same are answered once.
  const known = new Map<string, string | Secret>();
  for (const play of plays) {
    const ofPlay: Record<string, unknown> = {};
    for (const prompt of play.prompts) {
      if (Object.hasOwn(extraVars, prompt.name)) {
        hide(cli, prompt, extraVars[prompt.name]);
        continue;
      }
      const key = JSON.stringify([prompt.name, prompt.text, prompt.isPrivate]);
      const answer = known.get(key) ?? (await ask(cli, prompt));
      known.set(key, answer);
      ofPlay[prompt.name] = answer;
    }
    answers.set(play.id, ofPlay);
  }
  return answers;
}

/** The answer to a private prompt is not shown, however it was given. */
function hide({ masker }: Cli, { isPrivate }: Prompt, given: unknown): void {
  if (isPrivate && (typeof given === 'string' || typeof given === 'number')) masker.secret(String(given));
}

async function ask(cli: Cli, prompt: Prompt): Promise<string | Secret> {
  const { name, isPrivate, isConfirmed, default: standard } = prompt;
  if (!cli.stdin.isTTY) {
    if (standard !== undefined) return isPrivate ? cli.masker.secret(standard) : standard;
    const hint = `give it: -e ${name}=…${isPrivate ? ', or in an encrypted file: -e @FILE' : ''}`;
    throw new RunbookError('usage', `"${name}" cannot be asked for: standard input is no terminal`, { hint });
  }
  for (;;) {
    const answer = await askOnce(cli, prompt);
    if (!isConfirmed || reveal(await askOnce(cli, prompt, 'once more: ')) === reveal(answer)) return answer;
    cli.errors.write('The two answers are not the same.\n');
  }
}

async function askOnce(cli: Cli, { text, isPrivate, default: standard }: Prompt, again = ''): Promise<string | Secret> {
  const question = `${again}${text.trim().replace(/:$/, '')}`;
  if (isPrivate) {
    const answer = await askPassword(cli, question);
    return answer.reveal() === '' && standard !== undefined ? cli.masker.secret(standard) : answer;
  }
  const answer = await askText(cli, standard === undefined ? question : `${question} [${standard}]`);
  return answer === '' && standard !== undefined ? standard : answer;
}

function reveal(answer: string | Secret): string {
  return typeof answer === 'string' ? answer : answer.reveal();
}

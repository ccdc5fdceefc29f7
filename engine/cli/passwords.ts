import { readFile } from 'node:fs/promises';
import { fileProblem, RunbookError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Cli } from './cli.ts';

/** Asks for a password on the terminal, without showing what is typed. `hint` says what to do where there is none. */
export async function askPassword(
  cli: Cli,
  question: string,
  hint = 'run it from a terminal, use a key, or name a file with --become-password-file',
): Promise<Secret> {
  return cli.masker.secret(await ask(cli, question, hint, () => {}));
}

/** Asks for a text on the terminal. */
export async function askText(cli: Cli, question: string): Promise<string> {
  return ask(cli, question, undefined, (typed) => cli.errors.write(typed));
}

/** `echo` shows what is typed; in raw mode the terminal does not. */
async function ask(
  cli: Cli,
  question: string,
  hint: string | undefined,
  echo: (typed: string) => void,
): Promise<string> {
  const { stdin, errors } = cli;
  if (!stdin.isTTY) {
    throw new RunbookError('usage', `"${question}" cannot be asked: standard input is no terminal`, { hint });
  }
  cli.onExit(() => stdin.setRawMode(false));
  // Before the question is seen: whoever answers at once must not see the answer either.
  stdin.setRawMode(true).setEncoding('utf8').resume();
  errors.write(`${question}: `);
  try {
    return await readLine(stdin, echo);
  } finally {
    stdin.setRawMode(false).pause();
    errors.write('\n');
  }
}

/** Reads a password from a file; a line break at its end is not part of it. */
export async function readPasswordFile(cli: Cli, path: string): Promise<Secret> {
  try {
    return cli.masker.secret((await readFile(path, 'utf8')).replace(/\r?\n$/, ''));
  } catch (error) {
    throw new RunbookError('file-unreadable', `--become-password-file ${path}: ${fileProblem(error)}`, {
      cause: error,
    });
  }
}

function readLine(stdin: NodeJS.ReadStream, echo: (typed: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = '';
    const end = (settle: () => void): void => {
      stdin.removeListener('data', onData);
      settle();
    };
    // In raw mode the keys that the terminal would handle arrive as characters.
    const onData = (chunk: string): void => {
      const keys = [...chunk];
      for (const [i, key] of keys.entries()) {
        if (key === '\r' || key === '\n') {
          // What was pasted behind the line is the answer to the next question.
          const rest = keys.slice(i + 1).join('');
          return end(() => {
            stdin.pause();
            if (rest !== '') stdin.unshift(rest, 'utf8');
            resolve(typed);
          });
        }
        if (key === '\u0003' || key === '\u0004') {
          return end(() => reject(new RunbookError('interrupted', 'interrupted; nothing was contacted')));
        }
        if (key === '\u007f' || key === '\b') {
          if (typed !== '') echo('\b \b');
          typed = [...typed].slice(0, -1).join('');
        } else if (key === '\u0015') {
          echo('\b \b'.repeat([...typed].length));
          typed = '';
        } else {
          echo(key);
          typed += key;
        }
      }
    };
    stdin.on('data', onData);
  });
}

import { readFile } from 'node:fs/promises';
import { fileProblem, RunbookError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import type { Cli } from './cli.ts';

/** Asks for a password on the terminal, without showing what is typed. */
export async function askPassword(cli: Cli, question: string): Promise<Secret> {
  const { stdin, errors } = cli;
  if (!stdin.isTTY) {
    const hint = 'run it from a terminal, use a key, or name a file with --become-password-file';
    throw new RunbookError('usage', `"${question}" cannot be asked: standard input is no terminal`, { hint });
  }
  errors.write(`${question}: `);
  stdin.setRawMode(true).setEncoding('utf8').resume();
  cli.onExit(() => stdin.setRawMode(false));
  try {
    return new Secret(await readHidden(stdin));
  } finally {
    stdin.setRawMode(false).pause();
    errors.write('\n');
  }
}

/** Reads a password from a file; a line break at its end is not part of it. */
export async function readPasswordFile(path: string): Promise<Secret> {
  try {
    return new Secret((await readFile(path, 'utf8')).replace(/\r?\n$/, ''));
  } catch (error) {
    throw new RunbookError('file-unreadable', `--become-password-file ${path}: ${fileProblem(error)}`, {
      cause: error,
    });
  }
}

function readHidden(stdin: NodeJS.ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = '';
    const end = (settle: () => void): void => {
      stdin.removeListener('data', onData);
      settle();
    };
    // In raw mode the keys that the terminal would handle arrive as characters.
    const onData = (chunk: string): void => {
      for (const key of chunk) {
        if (key === '\r' || key === '\n') return end(() => resolve(typed));
        if (key === '\u0003' || key === '\u0004') {
          return end(() => reject(new RunbookError('interrupted', 'interrupted; nothing was contacted')));
        }
        if (key === '\u007f' || key === '\b') typed = [...typed].slice(0, -1).join('');
        else if (key === '\u0015') typed = '';
        else typed += key;
      }
    };
    stdin.on('data', onData);
  });
}

import { createMasker } from '../base/masker.ts';
import { createOutput } from '../report/output.ts';
import type { ColorMode } from '../report/paint.ts';
import type { Cli } from './cli.ts';
import { explainError } from './explain-error.ts';
import { createProgram } from './program.ts';

/** Runs one command and ends the process with its exit code, after everything written has been taken. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const undos: (() => void)[] = [];
  let exitCode = 0;
  const color = colorMode(args);
  const cli: Cli = {
    env: process.env,
    stdin: process.stdin,
    output: createOutput(process.stdout, color, process.env),
    errors: createOutput(process.stderr, color, process.env),
    masker: createMasker(),
    onExit: (undo) => {
      undos.push(undo);
    },
    exitNow(code) {
      undoAll();
      process.exit(code);
    },
    setExitCode(code) {
      exitCode = code;
    },
  };

  function undoAll(): void {
    for (const undo of undos.splice(0)) undo();
  }

  function explain(error: unknown): void {
    undoAll();
    const explained = explainError(error, args);
    if (explained.text !== '') cli.errors.write(`${cli.masker.mask(explained.text)}\n`);
    exitCode = explained.exitCode;
  }

  const onBug = (error: unknown): void => {
    explain(error);
    process.exit(exitCode);
  };
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
  // Nothing is waited for any more, and nothing was said: a promise was lost.
  process.once('beforeExit', () => onBug(new Error('it ended before it was done: nothing is left to wait for')));
  // Somebody's process.exit: the terminal is given back all the same.
  process.on('exit', undoAll);
  try {
    await createProgram(cli).parseAsync([...args], { from: 'user' });
  } catch (error) {
    explain(error);
  }
  await Promise.all([cli.output.flush(), cli.errors.flush()]);
  // Not process.exitCode: a connection that a host does not close must not keep the process.
  process.exit(exitCode);
}

/** Read ahead of the parser, whose own messages are coloured too. A wrong value is the parser's to refuse. */
function colorMode(args: readonly string[]): ColorMode {
  const i = args.findIndex((arg) => arg === '--color' || arg.startsWith('--color='));
  const value = args[i]?.includes('=') ? args[i]?.slice('--color='.length) : args[i + 1];
  return i >= 0 && (value === 'always' || value === 'never') ? value : 'auto';
}

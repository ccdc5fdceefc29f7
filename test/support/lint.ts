import { createMasker } from '../../engine/base/masker.ts';
import type { Cli } from '../../engine/cli/cli.ts';
import { explainError } from '../../engine/cli/explain-error.ts';
import { lintCommand } from '../../engine/cli/lint.ts';
import { withTemporaryFolder } from './module-rig.ts';
import { writeFiles } from './play.ts';

/** What `runbook lint` said, on both streams, and what it ended with. */
export interface LintRun {
  readonly text: string;
  readonly exitCode: number;
}

/** Runs `runbook lint` in this process, in a folder of its own with some files. */
export function lint(files: Readonly<Record<string, string>>, args: readonly string[]): Promise<LintRun> {
  return withTemporaryFolder(async (folder) => {
    await writeFiles(folder, files);
    const before = process.cwd();
    process.chdir(folder);
    try {
      return await runLint(args);
    } finally {
      process.chdir(before);
    }
  });
}

async function runLint(args: readonly string[]): Promise<LintRun> {
  let text = '';
  let exitCode = 0;
  const output = {
    write: (part: string) => {
      text += part;
    },
    color: false,
  };
  const setExitCode = (code: number): void => {
    exitCode = code;
  };
  // The command uses nothing else of it.
  const cli = { env: {}, output, masker: createMasker(), setExitCode } as unknown as Cli;
  try {
    await lintCommand(cli)
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .parseAsync([...args], { from: 'user' });
  } catch (error) {
    const explained = explainError(error, ['lint', ...args]);
    text += `${explained.text}\n`;
    exitCode = explained.exitCode;
  }
  return { text, exitCode };
}

import { RunbookError } from '../base/errors.ts';
import { readLock } from '../run/journal/lock.ts';
import { readRunFile } from '../run/journal/run-file.ts';
import { runFolder } from '../run/journal.ts';
import type { KeptByApply } from './apply.ts';
import type { Cli } from './cli.ts';
import { findRun, journalDirectory } from './find-run.ts';
import { restoreOptions } from './kept-options.ts';
import type { ResumeOptions } from './resume.ts';
import { runPlayCommand } from './run-play-command.ts';
import { defaultForks } from './shared-options.ts';

/** Runs `runbook resume` and gives its exit code. Raises `usage` for a run that cannot be resumed. */
export async function resumeRun(cli: Cli, named: string, options: ResumeOptions): Promise<number> {
  const id = findRun(named);
  const folder = runFolder(journalDirectory, id);
  const { liveliness, holder } = readLock(folder);
  if (liveliness !== 'dead' && holder) {
    const where =
      liveliness === 'running' ? `as process ${holder.pid}` : `on ${holder.machine}, as process ${holder.pid}`;
    throw new RunbookError('usage', `the run ${id} is still running ${where}`, {
      ...(liveliness === 'elsewhere' && { hint: `if it is not, remove ${folder}/lock` }),
    });
  }
  const file = readRunFile(folder);
  if (!file) throw new RunbookError('usage', `the run ${id} cannot be resumed: ${folder}/run.json cannot be read`);
  if (file.isCheckMode)
    throw new RunbookError('usage', `the run ${id} was a check: it changed nothing, so just run it again`);
  if (file.end?.exitCode === 0)
    throw new RunbookError('usage', `the run ${id} is done: there is nothing to go on with`);
  const { changed, grace, ...given } = options;
  const { command, plan, forks, diff } = file.options as Partial<KeptByApply>;
  if (command === 'apply' && plan !== undefined) {
    const { applyPlanFile } = await import('./apply.ts');
    const again = { forks: forks ?? defaultForks, diff: diff === true, journal: true };
    return applyPlanFile(cli, plan, { ...given, ...again, grace }, { runId: id, isChanged: changed });
  }
  const restored = restoreOptions(id, file.options, given);
  return runPlayCommand(cli, file.playbook, { ...restored, grace }, undefined, {
    runId: id,
    isChanged: changed,
  });
}

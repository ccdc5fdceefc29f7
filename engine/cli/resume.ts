import { Command, Option } from 'commander';
import type { Cli } from './cli.ts';
import { exitCodeHelp } from './exit-code-help.ts';
import type { GivenAgain } from './kept-options.ts';
import { graceOption, outputOption } from './play.ts';
import { addSecretOptions } from './secret-options.ts';
import { extraVarsOption, reportOption } from './shared-options.ts';

/** The options of `runbook resume`, as they were given. */
export interface ResumeOptions extends GivenAgain {
  readonly changed: boolean;
  readonly grace: number;
}

/** `runbook resume ID`. */
export function resumeCommand(cli: Cli): Command {
  const command = new Command('resume')
    .summary('go on with a run that was interrupted, stopped, or died')
    .description(
      'Goes on with a run: with the same playbook, inventory and options. What hosts have done they do not do again; each goes on at the task where it stopped, with what it had found out and with the handlers that were still to run. Hosts that failed try their failed task again.',
    )
    .argument('<run>', 'its id, the beginning of one, or "last"; runbook runs lists them')
    .usage('RUN [options]')
    .option(
      '--changed',
      'also with a playbook, modules or an inventory that changed since: tasks whose text is the same keep what they did',
      false,
    )
    .optionsGroup('What is never kept, and has to be given again:')
    .addOption(extraVarsOption())
    .option('-k, --ask-pass', 'ask for the password to log in with', false)
    .option('-K, --ask-become-pass', 'ask for the password of sudo', false)
    .addOption(
      new Option('--become-password-file <file>', 'file with the password of sudo').conflicts('askBecomePass'),
    );
  addSecretOptions(command);
  command
    .optionsGroup('What is shown, and how it ends:')
    .addOption(outputOption())
    .addOption(reportOption())
    .addOption(graceOption());
  return command
    .addHelpText('after', `${examples}\n${exitCodeHelp()}`)
    .action(async (named: string, options: ResumeOptions) => {
      const { resumeRun } = await import('./resume-run.ts');
      cli.setExitCode(await resumeRun(cli, named, options));
    });
}

const examples = `
Examples:
  runbook resume last                         go on with the latest run
  runbook resume 20261121T14 -K               with one by the beginning of its id, and the password of sudo
  runbook resume last --changed               after the playbook was mended
`;

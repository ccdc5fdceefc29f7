import { Command, Option } from 'commander';
import type { Cli } from './cli.ts';
import type { GivenAgain } from './kept-options.ts';
import { addSecretOptions } from './secret-options.ts';
import { extraVarsOption } from './shared-options.ts';

/** The options of `runbook leases release`, as they were given. */
export interface ReleaseOptions extends Omit<GivenAgain, 'output' | 'report'> {
  readonly run?: string;
  readonly host?: string;
  readonly all: boolean;
  readonly output: 'text' | 'json';
}

/** `runbook leases`. */
export function leasesCommand(cli: Cli): Command {
  return new Command('leases')
    .summary('list what runs still hold, and give it back')
    .description(
      'Lists what the runs that were started from this folder took and did not give back: a node that was kept cordoned because it failed, and what a run that died had in hand.',
    )
    .addOption(outputOption())
    .addHelpText('after', helpAfter)
    .action(async (options: { output: 'text' | 'json' }) => {
      const { showLeases } = await import('./show-leases.ts');
      showLeases(cli, options.output);
    })
    .addCommand(releaseCommand(cli));
}

function releaseCommand(cli: Cli): Command {
  const command = new Command('release')
    .summary('give back what runs that have ended still hold')
    .description(
      'Gives leases back as the run itself would have: with the modules of its playbook and the hosts and connections of its inventory. What a run that is at work holds is left to it.',
    )
    .option('--run <id>', 'of this run: its id, the beginning of one, or "last"')
    .option('--host <name>', 'of this host')
    .option('--all', 'whatever is listed', false)
    .addOption(outputOption())
    .optionsGroup('What is never kept, and has to be given again:')
    .addOption(extraVarsOption())
    .option('-k, --ask-pass', 'ask for the password to log in with', false)
    .option('-K, --ask-become-pass', 'ask for the password of sudo', false)
    .addOption(
      new Option('--become-password-file <file>', 'file with the password of sudo').conflicts('askBecomePass'),
    );
  addSecretOptions(command);
  return command.addHelpText('after', helpAfter).action(async (_: unknown, given: Command) => {
    const { releaseCommandLine } = await import('./release-leases.ts');
    // --output is the list's, too: whichever place it was given in.
    cli.setExitCode(await releaseCommandLine(cli, given.optsWithGlobals<ReleaseOptions>()));
  });
}

function outputOption(): Option {
  return new Option('--output <kind>', 'for people, or for programs').choices(['text', 'json']).default('text');
}

const helpAfter = `
Examples:
  runbook leases                                  what is held, since when and why
  runbook leases release --host node-3            give back what is held on a host
  runbook leases release --run last --output json what the last run left

Exit codes: 0 listed, or all given back; 2 something could not be given back; 5 there is no such run, or its playbook
cannot be loaded any more.`;

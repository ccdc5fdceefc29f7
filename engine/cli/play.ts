import { Command, Option } from 'commander';
import type { OutputKind } from '../report/choose.ts';
import type { Cli } from './cli.ts';
import { exitCodeHelp } from './exit-code-help.ts';
import { addSecretOptions, type SecretOptions } from './secret-options.ts';
import {
  type BudgetOptions,
  budgetOptions,
  extraVarsOption,
  forksOption,
  inventoryOption,
  limitOption,
  playbookModulesOption,
  positive,
  reportOption,
  tagOptions,
  wholeNumber,
} from './shared-options.ts';

/** The options of `runbook play`, as they were given. */
export interface PlayOptions extends SecretOptions, BudgetOptions, ConnectionOptions {
  readonly inventory: readonly string[];
  readonly limit?: string;
  readonly check: boolean;
  readonly diff: boolean;
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
  readonly extraVars: readonly string[];
  readonly forks: number;
  readonly modules: readonly string[];
  readonly output: OutputKind;
  readonly hostKeyChecking?: 'strict' | 'accept-new' | 'off';
  readonly user?: string;
  readonly privateKey?: string;
  readonly askPass: boolean;
  readonly become: boolean;
  readonly becomeUser?: string;
  readonly askBecomePass: boolean;
  readonly becomePasswordFile?: string;
  readonly timeout?: number;
  readonly listHosts: boolean;
  readonly listTasks: boolean;
  readonly journal: boolean;
  readonly grace?: number;
  /** Hosts are asked for several tasks at once. */
  readonly batch: boolean;
  /** An HTML page of the run. */
  readonly report?: string;
}

/** How hosts are reached, as it was given. */
export interface ConnectionOptions {
  readonly user?: string;
  readonly privateKey?: string;
  readonly askPass: boolean;
  readonly become: boolean;
  readonly becomeUser?: string;
  readonly askBecomePass: boolean;
  readonly becomePasswordFile?: string;
  readonly timeout?: number;
  readonly reconnectTimeout?: number;
}

/** `runbook play PLAYBOOK`. */
export function playCommand(cli: Cli): Command {
  const command = new Command('play')
    .summary('run a playbook, or say what it would do')
    .description('Runs a playbook on the hosts of an inventory; with --check it says what differs and changes nothing.')
    .argument('<playbook>', 'YAML file')
    .usage('PLAYBOOK [-i INVENTORY] [options]');
  addSelection(command);
  addConnection(command);
  addSecretOptions(command);
  addOutput(command);
  return command.addHelpText('after', helpAfter()).action(async (playbook: string, options: PlayOptions) => {
    const { runPlayCommand } = await import('./run-play-command.ts');
    cli.setExitCode(await runPlayCommand(cli, playbook, options));
  });
}

function addSelection(command: Command): void {
  command
    .optionsGroup('What is run, and where:')
    .addOption(inventoryOption('only localhost'))
    .addOption(limitOption())
    .option('-C, --check', 'change nothing, say what would change; exit code 3 if anything does', false)
    .option('-D, --diff', 'show what changes: diffs of texts, before → after of the rest', false);
  for (const option of tagOptions()) command.addOption(option);
  command.addOption(extraVarsOption()).addOption(forksOption());
  for (const option of budgetOptions()) command.addOption(option);
  command
    .addOption(playbookModulesOption())
    .option('--no-batch', 'ask hosts for one task at a time; what is told is the same, and takes longer')
    .option('--list-hosts', 'list the hosts of each play and stop', false)
    .option('--list-tasks', 'list the tasks of each play and stop', false);
}

/** How hosts are reached: for every command that reaches them. */
export function addConnection(command: Command): void {
  command
    .optionsGroup('How hosts are reached (the inventory says otherwise per host):')
    .option('-u, --user <name>', 'user to log in as')
    .option('--private-key <file>', 'key to log in with')
    .option('-k, --ask-pass', 'ask for the password to log in with', false)
    .option('-b, --become', 'become another user with sudo', false)
    .option('--become-user <name>', 'the user to become')
    .option('-K, --ask-become-pass', 'ask for the password of sudo', false)
    .addOption(new Option('--become-password-file <file>', 'file with the password of sudo').conflicts('askBecomePass'))
    .option('-T, --timeout <seconds>', 'deadline of a connection attempt', positive)
    .option(
      '--reconnect-timeout <seconds>',
      'how long a lost link is waited for, 120 unless given; 0: not at all',
      wholeNumber,
    )
    .addOption(
      new Option(
        '--host-key-checking <mode>',
        'against known_hosts; accept-new adds hosts that are not in it yet. Default: strict, unless ssh_config says otherwise',
      ).choices(['strict', 'accept-new', 'off']),
    );
}

function addOutput(command: Command): void {
  command
    .optionsGroup('What is shown and kept:')
    .addOption(outputOption())
    .addOption(reportOption())
    .addOption(graceOption())
    .option('--no-journal', 'keep no record of the run in .runbook/: it cannot be resumed');
}

/** How long SIGTERM leaves to what is in flight. */
export function graceOption(): Option {
  return new Option('--grace <seconds>', 'what SIGTERM leaves to tasks in flight before it aborts them')
    .argParser(positive)
    .default(60);
}

/** How events are shown. */
export function outputOption(): Option {
  return new Option('--output <kind>', 'auto is terminal, or plain without a terminal and in CI; ndjson streams events')
    .choices(['auto', 'terminal', 'plain', 'ndjson'])
    .default('auto');
}

function helpAfter(): string {
  return `
Examples:
  runbook play site.yaml -i prod.ini --check --diff       what differs from the playbook, and how
  runbook play site.yaml -i prod.ini --limit 'web:!web3'  only the hosts of web, without web3
  runbook play site.yaml -i n1,n2, -u admin -b -K         two hosts, sudo with a password
  runbook play site.yaml -i prod.ini -e version=1.7.24    one variable over all others
  runbook play site.yaml -i prod.ini --output ndjson      every event as a line of JSON

${exitCodeHelp()}

Ctrl-C: once finishes the tasks in flight, twice aborts them, three times exits at once. Then: runbook resume last`;
}

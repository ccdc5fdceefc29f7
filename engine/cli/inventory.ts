import { Command, Option } from 'commander';
import type { Cli } from './cli.ts';
import { addSecretOptions, type SecretOptions } from './secret-options.ts';
import { extraVarsOption, inventoryOption, limitOption } from './shared-options.ts';

/** The options of `runbook inventory`, as they were given. */
export interface InventoryCommandOptions extends SecretOptions {
  readonly inventory: readonly string[];
  readonly limit?: string;
  readonly playbookDir?: string;
  readonly extraVars: readonly string[];
  readonly list: boolean;
  /** True without a group. */
  readonly graph?: string | true;
  readonly vars: boolean;
  readonly host?: string;
  readonly explain?: string;
  readonly output: 'text' | 'json' | 'yaml';
}

/** `runbook inventory`. */
export function inventoryCommand(cli: Cli): Command {
  const command = new Command('inventory')
    .summary('show hosts, groups, and where a variable gets its value')
    .description('Shows what an inventory says: hosts, groups, variables, and where each value comes from.')
    .usage('[-i INVENTORY] (--list | --graph [GROUP] | --host HOST | --explain NAME) [options]')
    .optionsGroup('What is shown:')
    .option('--list', 'all hosts; as JSON or YAML in the shape of ansible-inventory --list', false)
    .option('--graph [group]', 'the tree of groups and hosts, below a group or all')
    .option('--vars', 'with --graph: the variables of each group and host', false)
    .option('--host <name>', 'the variables of a host')
    .option('--explain <name>', 'every place that sets a variable, the winner first; with --host for one host')
    .addOption(
      new Option('--output <kind>', 'for people, or for programs').choices(['text', 'json', 'yaml']).default('text'),
    )
    .optionsGroup('What is read:')
    .addOption(inventoryOption('only localhost'))
    .addOption(limitOption())
    .option('--playbook-dir <folder>', 'folder of a playbook, whose group_vars and host_vars win')
    .addOption(extraVarsOption())
    .addHelpText('after', helpAfter)
    .action(async (options: InventoryCommandOptions) => {
      const { runInventoryCommand } = await import('./inventory/show.ts');
      await runInventoryCommand(cli, options);
    });
  return addSecretOptions(command);
}

const helpAfter = `
Examples:
  runbook inventory -i prod.ini --list                            hosts, addresses and groups
  runbook inventory -i prod.ini --list --output json -l 'web:!w3' for programs that read ansible-inventory
  runbook inventory -i prod.ini --graph web --vars                a group with its hosts and variables
  runbook inventory -i prod.ini --host web1                       its variables, and where each is set
  runbook inventory -i prod.ini --host web1 --explain version     why web1 has this version
  runbook inventory -i prod.ini --explain version                 who has which version, and why

Values are shown as they are written, templates too. Secrets and passwords are shown as ********.`;

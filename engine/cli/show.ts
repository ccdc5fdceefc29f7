import { Command, Option } from 'commander';
import type { Cli } from './cli.ts';

/** The options of `runbook show`, as they were given. */
export interface ShowOptions {
  readonly host?: string;
  readonly output: 'text' | 'ndjson';
}

/** `runbook show ID`. */
export function showCommand(cli: Cli): Command {
  return new Command('show')
    .summary('tell a run again')
    .description(
      'Tells how a run stands: its hosts, why they failed, handlers that did not run, leases that are still held. With --host, all that happened on that host.',
    )
    .argument('<run>', 'its id, the beginning of one, or "last"')
    .option('--host <name>', 'what happened on this host')
    .addOption(
      new Option('--output <kind>', 'text, or the events as NDJSON').choices(['text', 'ndjson']).default('text'),
    )
    .action(async (named: string, options: ShowOptions) => {
      const { showRun } = await import('./show-run.ts');
      showRun(cli, named, options);
    })
    .addHelpText('after', examples);
}

const examples = `
Examples:
  runbook show last                     how the latest run stands
  runbook show last --host node-3       all that happened on one host
  runbook show 20261121T14 --output ndjson | jq .`;

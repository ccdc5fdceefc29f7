import { Command, Option } from 'commander';
import { systemClock } from '../base/clock.ts';
import { readVersion } from '../base/version.ts';
import type { AuditOutput } from '../report/audit/reporter.ts';
import type { Cli } from './cli.ts';
import { addConnection, type PlayOptions } from './play.ts';
import { addSecretOptions } from './secret-options.ts';
import {
  extraVarsOption,
  forksOption,
  inventoryOption,
  limitOption,
  playbookModulesOption,
  reportOption,
  tagOptions,
} from './shared-options.ts';

/** What an audit leaves no choice about: it changes nothing, and compares everything. */
const fixed = { check: true, diff: true, listHosts: false, listTasks: false, output: 'auto' } as const;

/** The options of `runbook audit`, as they were given. */
interface AuditOptions extends Omit<PlayOptions, keyof typeof fixed> {
  readonly output: AuditOutput;
}

/** `runbook audit PLAYBOOK`. */
export function auditCommand(cli: Cli): Command {
  const command = new Command('audit')
    .summary('say which hosts differ from a playbook, and in what')
    .description(
      'Compares hosts with a playbook and changes nothing: what differs, with diffs, equal findings told once with all their hosts.',
    )
    .argument('<playbook>', 'YAML file')
    .usage('PLAYBOOK [-i INVENTORY] [options]');
  addSelection(command);
  addConnection(command);
  addSecretOptions(command);
  addOutput(command);
  return command.addHelpText('after', helpAfter).action(async (playbook: string, options: AuditOptions) => {
    const [{ runPlayCommand }, { createAuditReporter }] = await Promise.all([
      import('./run-play-command.ts'),
      import('../report/audit/reporter.ts'),
    ]);
    const reporting = { output: cli.output, errors: cli.errors, env: cli.env, clock: systemClock };
    const makeReporter = async () => createAuditReporter(options.output, { ...reporting, version: readVersion() });
    cli.setExitCode(await runPlayCommand(cli, playbook, { ...options, ...fixed }, makeReporter));
  });
}

function addSelection(command: Command): void {
  command
    .optionsGroup('What is compared, and where:')
    .addOption(inventoryOption('only localhost'))
    .addOption(limitOption());
  for (const option of tagOptions()) command.addOption(option);
  command.addOption(extraVarsOption()).addOption(forksOption()).addOption(playbookModulesOption());
}

function addOutput(command: Command): void {
  command
    .optionsGroup('What is shown and kept:')
    .addOption(
      new Option(
        '--output <kind>',
        'findings as text, a JSON document, JUnit XML or SARIF 2.1.0; ndjson streams events',
      )
        .choices(['auto', 'terminal', 'plain', 'json', 'ndjson', 'junit', 'sarif'])
        .default('auto'),
    )
    .addOption(reportOption())
    .option('--no-journal', 'keep no record of the run in .runbook/: it cannot be resumed');
}

const helpAfter = `
Examples:
  runbook audit site.yaml -i prod.ini                         what differs on which hosts
  runbook audit site.yaml -i prod.ini --report drift.html     and a page to look around in
  runbook audit site.yaml -i prod.ini --output junit          for a CI system
  runbook audit site.yaml -i prod.ini --output json           for a program

Exit codes: 0 nothing differs; 3 something differs, or cannot be known before a run; 2 a host failed; 4 a host was
unreachable, none failed; 5 a mistake in what was asked, nothing contacted; 6 stopped by the failure budget; 130 interrupted.`;

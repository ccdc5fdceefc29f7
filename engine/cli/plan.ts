import { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import type { Cli } from './cli.ts';
import { addConnection, outputOption, type PlayOptions } from './play.ts';
import { askPrompts } from './prompts.ts';
import { addSecretOptions, openerFor } from './secret-options.ts';
import {
  budgetIn,
  budgetOptions,
  extraVarsOption,
  forksOption,
  inventoryOption,
  limitOption,
  playbookModulesOption,
  tagOptions,
} from './shared-options.ts';

/** The options of `runbook plan`, as they were given. */
interface PlanOptions extends Omit<PlayOptions, 'check' | 'listHosts' | 'listTasks' | 'report'> {
  readonly out: string;
}

/** Where runs keep what they remember, and what plans are sealed with. */
const stateDirectory = '.runbook';

/** `runbook plan PLAYBOOK -o FILE`. */
export function planCommand(cli: Cli): Command {
  const command = new Command('plan')
    .summary('write down what a playbook would do, to be done later')
    .description('Changes nothing, and writes what would be done to a file that can be read, and applied as it is.')
    .argument('<playbook>', 'YAML file')
    .usage('PLAYBOOK -o FILE [-i INVENTORY] [options]')
    .optionsGroup('What is planned, and where:')
    .requiredOption('-o, --out <file>', 'where the plan is written; for its owner alone')
    .addOption(inventoryOption('only localhost'))
    .addOption(limitOption())
    .option('-D, --diff', 'show what changes: diffs of texts, before → after of the rest', false);
  for (const option of tagOptions()) command.addOption(option);
  command.addOption(extraVarsOption()).addOption(forksOption());
  for (const option of budgetOptions()) command.addOption(option);
  command.addOption(playbookModulesOption());
  addConnection(command);
  addSecretOptions(command);
  command
    .optionsGroup('What is shown and kept:')
    .addOption(outputOption())
    .option('--no-journal', 'keep no record of the run in .runbook/: it cannot be resumed');
  return command.addHelpText('after', helpAfter).action(async (playbook: string, options: PlanOptions) => {
    cli.setExitCode(await plan(cli, playbook, options));
  });
}

async function plan(cli: Cli, playbook: string, options: PlanOptions): Promise<number> {
  const [
    { readConnection, readSelection, runReported },
    { runPlaybook },
    making,
    { writePlan },
    summary,
    keys,
    report,
  ] = await Promise.all([
    import('./run-play-command.ts'),
    import('../run/run.ts'),
    import('../run/plan-making.ts'),
    import('../run/plan-file.ts'),
    import('../run/plan-summary.ts'),
    import('../run/run-key.ts'),
    import('../report/choose.ts'),
  ]);
  const opener = await openerFor(cli, options);
  const selection = await readSelection(playbook, options, opener);
  for (const [name, value] of Object.entries(selection.extraVars)) {
    if (typeof value === 'string' && making.isSecretVariable(name, value)) cli.masker.secret(value);
  }
  const key = keys.readRunKey(stateDirectory);
  const planning = making.beginPlan(options.out, key);
  const connection = await readConnection(cli, options);
  const reporter = await report.createReporter(options.output, { ...cli, clock: systemClock });
  const exitCode = await runReported(cli, { reporter, report: undefined }, (parts) => {
    parts.bus.subscribe(planning.on);
    return runPlaybook({
      ...selection,
      ...parts,
      isCheckMode: true,
      isDiff: options.diff,
      forks: options.forks,
      ...budgetIn(options),
      ...(options.reconnectTimeout !== undefined && { reconnectMs: options.reconnectTimeout * 1000 }),
      ...(options.hostKeyChecking && { hostKeyChecking: options.hostKeyChecking }),
      connection,
      masker: cli.masker,
      ask: (plays) => askPrompts(cli, plays, selection.extraVars),
      plan: planning.use,
      ...(options.journal && { journalDirectory: stateDirectory }),
    });
  });
  if (exitCode === 130) {
    cli.errors.write(`runbook: no plan was written: planning was interrupted\n`);
    return exitCode;
  }
  const made = await planning.plan(cli.masker);
  await writePlan(options.out, made, key);
  const told = [
    ...summary.describePlan(made).slice(1),
    `It is in ${options.out}. Do it:  runbook apply ${options.out}`,
  ];
  // What is piped on is the events alone.
  (options.output === 'ndjson' ? cli.errors : cli.output).write(`\n${told.join('\n')}\n`);
  return exitCode;
}

const helpAfter = `
Examples:
  runbook plan site.yaml -i prod.ini -o upgrade.plan.yaml    what would be done, in a file to read and to agree on
  runbook apply upgrade.plan.yaml                            exactly that, and nothing where a host has changed since

The plan belongs to the folder that it was made in: its .runbook/key seals it. No secret is in it.

Exit codes: 0 nothing is to be done; 3 something is, or may be; 2 a host failed; 4 a host was unreachable, none failed; 5 a
mistake in what was asked, nothing contacted; 6 stopped by the failure budget; 130 interrupted, no plan written.`;

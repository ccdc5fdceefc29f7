import { Command, Option } from 'commander';
import { systemClock } from '../base/clock.ts';
import type { OutputKind } from '../report/choose.ts';
import type { RunRequest } from '../run/request.ts';
import type { Cli } from './cli.ts';
import { readExtraVars } from './extra-vars.ts';
import { graceOption, outputOption } from './play.ts';
import { askPrompts } from './prompts.ts';
import { addSecretOptions, openerFor, type SecretOptions } from './secret-options.ts';
import { forksOption, list, reportOption } from './shared-options.ts';

/** The options of `runbook apply`, as they were given: nothing that changes what is done. */
export interface ApplyOptions extends SecretOptions {
  readonly extraVars: readonly string[];
  readonly forks: number;
  readonly diff: boolean;
  readonly output: OutputKind;
  readonly report?: string;
  readonly journal: boolean;
  readonly grace?: number;
  readonly askPass: boolean;
  readonly askBecomePass: boolean;
  readonly becomePasswordFile?: string;
}

const stateDirectory = '.runbook';

/** What the journal keeps of the options, to resume the run with. */
export interface KeptByApply {
  readonly command: 'apply';
  readonly plan: string;
  readonly forks: number;
  readonly diff: boolean;
}

/** `runbook apply FILE`. */
export function applyCommand(cli: Cli): Command {
  const command = new Command('apply')
    .summary('do what a plan says, and nothing else')
    .description(
      'Does what a plan says. Where a host is not as it was when the plan was made, it stops before it changes anything there.',
    )
    .argument('<plan>', 'file that "runbook plan" wrote')
    .usage('PLAN [options]')
    .optionsGroup('What no plan holds:')
    .option('-k, --ask-pass', 'ask for the password to log in with', false)
    .option('-K, --ask-become-pass', 'ask for the password of sudo', false)
    .addOption(new Option('--become-password-file <file>', 'file with the password of sudo').conflicts('askBecomePass'))
    .addOption(
      list('-e, --extra-vars <vars>', 'the variables that the plan keeps out because they are secret; repeatable'),
    );
  addSecretOptions(command);
  command
    .optionsGroup('How it is done and shown:')
    .addOption(forksOption())
    .option('-D, --diff', 'show what changes: diffs of texts, before → after of the rest', false)
    .addOption(outputOption())
    .addOption(reportOption())
    .addOption(graceOption())
    .option('--no-journal', 'keep no record of the run in .runbook/: it cannot be resumed');
  return command.addHelpText('after', helpAfter).action(async (file: string, options: ApplyOptions) => {
    cli.setExitCode(await applyPlanFile(cli, file, options));
  });
}

/** Does what the plan in a file says, or goes on with a run that did so. Gives the exit code. */
export async function applyPlanFile(
  cli: Cli,
  file: string,
  options: ApplyOptions,
  resume?: RunRequest['resume'],
): Promise<number> {
  const [
    { graceIn, openReport, readPasswords, runReported },
    { runPlaybook },
    applying,
    { readPlan },
    { readRunKey },
    { createReporter },
  ] = await Promise.all([
    import('./run-play-command.ts'),
    import('../run/run.ts'),
    import('../run/plan-applying.ts'),
    import('../run/plan-file.ts'),
    import('../run/run-key.ts'),
    import('../report/choose.ts'),
  ]);
  const key = readRunKey(stateDirectory);
  const plan = await readPlan(file, key);
  const opener = await openerFor(cli, options);
  const secretVars = await readExtraVars(options.extraVars, opener);
  const request = applying.requestOfPlan(plan, secretVars);
  for (const value of Object.values(secretVars)) if (typeof value === 'string') cli.masker.secret(value);
  const report = await openReport(options);
  const connection = { ...applying.connectionOfPlan(plan.options), ...(await readPasswords(cli, options)) };
  const reporter = await createReporter(options.output, { ...cli, clock: systemClock });
  return runReported(cli, { reporter, report, ...graceIn(options), isKept: options.journal }, (parts) =>
    runPlaybook({
      ...request,
      ...parts,
      opener,
      connection,
      isCheckMode: false,
      isDiff: options.diff,
      forks: options.forks,
      masker: cli.masker,
      ask: (plays) => askPrompts(cli, plays, request.extraVars),
      plan: applying.applyPlan(file, plan, { key, clock: systemClock }),
      ...(options.journal && { journalDirectory: stateDirectory }),
      options: {
        ...({ command: 'apply', plan: file, forks: options.forks, diff: options.diff } satisfies KeptByApply),
      },
      ...(resume && { resume }),
    }),
  );
}

const helpAfter = `
Examples:
  runbook apply upgrade.plan.yaml                            what the plan says, on the hosts that it names
  runbook apply upgrade.plan.yaml -K                         with a password for sudo, which no plan holds

A plan is refused, and nothing contacted, when its playbook, a module, the inventory or a variable is not what it was, when
it was edited, or when it was made in another folder. A host on which a task finds something else than planned has failed
with the code state-moved; what the plan called unknown is decided then.

Exit codes: as of "runbook play"; 5 when the plan is refused.`;

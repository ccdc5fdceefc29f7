import { Command, Help, Option } from 'commander';
import { readVersion } from '../base/version.ts';
import { applyCommand } from './apply.ts';
import { auditCommand } from './audit.ts';
import type { Cli } from './cli.ts';
import { docCommand } from './doc.ts';
import { exitCodeHelp } from './exit-code-help.ts';
import { inventoryCommand } from './inventory.ts';
import { leasesCommand } from './leases.ts';
import { lintCommand } from './lint.ts';
import { modulesCommand } from './modules.ts';
import { planCommand } from './plan.ts';
import { playCommand } from './play.ts';
import { resumeCommand } from './resume.ts';
import { runsCommand } from './runs.ts';
import { schemaCommand } from './schema.ts';
import { secretsCommand } from './secrets.ts';
import { showCommand } from './show.ts';

/** The command line's grammar. Commands load what they need when they run. */
export function createProgram(cli: Cli): Command {
  const program = new Command('runbook');
  program
    .description('Runs playbooks of idempotent modules over SSH, with a check mode that tells the truth')
    .version(readVersion())
    .helpCommand('help [command]', 'show the help of a command');
  program
    .addCommand(playCommand(cli))
    .addCommand(auditCommand(cli))
    .addCommand(planCommand(cli))
    .addCommand(applyCommand(cli))
    .addCommand(resumeCommand(cli))
    .addCommand(runsCommand(cli))
    .addCommand(showCommand(cli))
    .addCommand(leasesCommand(cli))
    .addCommand(inventoryCommand(cli))
    .addCommand(lintCommand(cli))
    .addCommand(modulesCommand(cli))
    .addCommand(docCommand(cli))
    .addCommand(schemaCommand(cli))
    .addCommand(secretsCommand(cli));
  program.addHelpText('after', `\n${exitCodeHelp()}`);
  for (const command of [program, ...program.commands.flatMap((part) => [part, ...part.commands])]) {
    command
      .optionsGroup('Options:')
      // Read by colorMode; here so that it is accepted, checked and documented.
      .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'))
      .exitOverride()
      .showSuggestionAfterError(true)
      .allowExcessArguments(false)
      .configureHelp({ optionDescription: describeOption })
      .configureOutput({
        writeOut: (text) => cli.output.write(text),
        writeErr: (text) => cli.errors.write(text),
        // explainError says it, with a hint.
        outputError: () => {},
        getOutHelpWidth: () => cli.output.columns,
        getErrHelpWidth: () => cli.errors.columns,
        getOutHasColors: () => cli.output.color,
        getErrHasColors: () => cli.errors.color,
      });
  }
  return program;
}

/** Without the defaults that say nothing: a switch is off and a list is empty unless it is given. */
function describeOption(this: Help, option: Option): string {
  return Help.prototype.optionDescription.call(this, option).replace(/ \(default: (\[\]|false)\)/, '');
}

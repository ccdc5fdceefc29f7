import { Command, Option } from 'commander';
import type { Cli } from './cli.ts';
import { interruptible } from './interruptible.ts';
import type { LintFormat } from './lint-output.ts';
import { addSecretOptions, openerFor, type SecretOptions } from './secret-options.ts';
import { extraVarsOption, inventoryOption, limitOption, playbookModulesOption, tagOptions } from './shared-options.ts';

/** The options of `runbook lint`, as they were given. */
interface LintOptions extends SecretOptions {
  readonly inventory: readonly string[];
  readonly limit?: string;
  readonly extraVars: readonly string[];
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
  readonly modules: readonly string[];
  readonly output: LintFormat;
}

/** `runbook lint PLAYBOOK…`. */
export function lintCommand(cli: Cli): Command {
  const command = new Command('lint')
    .summary('check playbooks, without contacting a host')
    .description(
      'Says everything that can be known to be wrong with playbooks before a host is contacted: the checks that every run makes first.',
    )
    .argument('<playbook...>', 'YAML files')
    .usage('PLAYBOOK... [-i INVENTORY] [options]')
    .addOption(inventoryOption('a name that an inventory could define is a warning'))
    .addOption(limitOption());
  for (const option of tagOptions()) command.addOption(option);
  command
    .addOption(extraVarsOption())
    .addOption(playbookModulesOption())
    .addOption(
      new Option('--output <kind>', 'text with excerpts, JSON, or SARIF 2.1.0 for code scanning')
        .choices(['text', 'json', 'sarif'])
        .default('text'),
    )
    .addHelpText('after', helpAfter)
    .action(async (playbooks: readonly string[], options: LintOptions) => {
      const [{ lintPlaybooks }, { maskDiagnostic }, { formatFindings }, { readExtraVars }] = await Promise.all([
        import('../run/lint.ts'),
        import('../run/masking.ts'),
        import('./lint-output.ts'),
        import('./extra-vars.ts'),
      ]);
      const opener = await openerFor(cli, options);
      const extraVars = await readExtraVars(options.extraVars, opener);
      const found = await interruptible((signal) =>
        lintPlaybooks(playbooks, {
          signal,
          opener,
          inventory: options.inventory,
          ...(options.limit !== undefined && { limit: options.limit }),
          moduleDirectories: options.modules,
          extraVars,
          tags: options.tags,
          skipTags: options.skipTags,
        }),
      );
      const shown = found.map((diagnostic) => maskDiagnostic(diagnostic, cli.masker));
      cli.output.write(formatFindings(shown, options.output, cli.output.color));
      cli.setExitCode(found.some(({ severity }) => severity === 'error') ? 5 : 0);
    });
  return addSecretOptions(command);
}

const helpAfter = `
Examples:
  runbook lint site.yaml -i prod.ini                       what a run would refuse, and what is doubtful
  runbook lint playbooks/*.yaml                            without an inventory
  runbook lint site.yaml -i prod.ini --output sarif        for a code-scanning service

Exit codes: 0 nothing is wrong, warnings aside; 5 something is.`;

import type { Command } from 'commander';
import type { FileOpener } from '../language/encrypted-files.ts';
import type { Cli } from './cli.ts';
import { list } from './shared-options.ts';

/** The options by which encrypted files are opened, as they were given. */
export interface SecretOptions {
  readonly identity: readonly string[];
  readonly vaultPasswordFile: readonly string[];
  readonly vaultId: readonly string[];
  readonly askVaultPass: boolean;
}

/** Adds the options to a command that reads files which may be encrypted. */
export function addSecretOptions(command: Command): Command {
  return command
    .optionsGroup('How encrypted files are opened:')
    .addOption(
      list(
        '--identity <file>',
        'secret keys of age; repeatable. Default: $RUNBOOK_AGE_IDENTITY, ~/.config/runbook/identity',
      ),
    )
    .addOption(
      list('--vault-password-file <file>', 'password of Ansible Vault, or a program that prints it; repeatable'),
    )
    .addOption(
      list('--vault-id <label@source>', 'a password with a label; the source is a file or "prompt"; repeatable'),
    )
    .option('-J, --ask-vault-pass', 'ask for the password of Ansible Vault', false);
}

/** What opens the files of a command; every secret in them is known to the command's masker. */
export async function openerFor(cli: Cli, options: SecretOptions): Promise<FileOpener> {
  const [{ createKeys }, { createFileOpener }] = await Promise.all([
    import('./keys.ts'),
    import('../language/encrypted-files.ts'),
  ]);
  return createFileOpener(createKeys(cli, options), cli.masker.add);
}

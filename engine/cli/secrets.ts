import { Command } from 'commander';
import type { Cli } from './cli.ts';
import { addSecretOptions, type SecretOptions } from './secret-options.ts';
import { list } from './shared-options.ts';

/** The options of `runbook secrets encrypt`, as they were given. */
export interface EncryptOptions extends SecretOptions {
  readonly recipient: readonly string[];
  readonly output?: string;
}

/** `runbook secrets keygen | encrypt | view`: what one needs to begin with, without another tool. */
export function secretsCommand(cli: Cli): Command {
  const command = new Command('secrets')
    .summary('make a key, encrypt a file with age, show an encrypted file')
    .description('Makes keys of age, encrypts files with them, and shows what age or Ansible Vault encrypted.')
    .addHelpText('after', helpAfter);
  command
    .command('keygen')
    .summary('make a key of age, and say who it is')
    .description('Makes a secret key. Its recipient, to encrypt for, is printed; the key itself is in the file only.')
    .argument('<file>', 'where the key is kept; a file that is there already is not touched')
    .action(async (file: string) => (await load()).makeKey(cli, file));
  const encrypt = command
    .command('encrypt')
    .summary('encrypt a file with age')
    .description('Writes FILE.age, armored, for the recipients that are named, else for those of your own identities.')
    .argument('<file>', 'the file in clear, or - for standard input')
    .addOption(list('-r, --recipient <age1…>', 'for whom; repeatable'))
    .option('-o, --output <file>', 'where to; FILE.age unless it is given');
  addSecretOptions(encrypt).action(async (file: string, options: EncryptOptions) =>
    (await load()).encryptFile(cli, file, options),
  );
  const view = command
    .command('view')
    .summary('show a file that age or Ansible Vault encrypted')
    .description('Prints what is in an encrypted file, in clear.')
    .argument('<file>', 'the encrypted file');
  addSecretOptions(view).action(async (file: string, options: SecretOptions) =>
    (await load()).viewFile(cli, file, options),
  );
  return command;
}

const helpAfter = `
Examples:
  runbook secrets keygen ~/.config/runbook/identity    a key; it is found there without being named
  runbook secrets encrypt group_vars/all/tokens.yaml   tokens.yaml.age, for yourself
  runbook secrets view group_vars/all/tokens.yaml.age  what is in it`;

function load(): Promise<typeof import('./secrets-files.ts')> {
  return import('./secrets-files.ts');
}

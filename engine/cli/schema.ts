import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import type { Cli } from './cli.ts';
import { modulesOption } from './shared-options.ts';

/** `runbook schema`. */
export function schemaCommand(cli: Cli): Command {
  return new Command('schema')
    .summary('print a JSON Schema for editors')
    .description(
      'Prints one JSON Schema for playbooks, roles and inventories in YAML, custom modules included: completion, explanations and mistakes while you type. docs/editor.md says how editors use it.',
    )
    .option('--playbook <path>', 'playbook, or its folder: modules/ and roles/*/modules/ beside it are included', '.')
    .addOption(modulesOption())
    .addHelpText('after', helpAfter)
    .action(async (options: { playbook: string; modules: readonly string[] }) => {
      const [{ loadModules }, { editorSchema }, { inventoryDefinitions, inventoryFiles }] = await Promise.all([
        import('../module/loader.ts'),
        import('../language/editor-schema.ts'),
        import('../inventory/editor-schema.ts'),
      ]);
      const folder = await folderOf(options.playbook);
      const directories = [...(await roleModules(folder)), ...options.modules];
      const registry = await loadModules({ playbookDirectory: folder, directories });
      const schema = editorSchema(registry, inventoryFiles(), inventoryDefinitions());
      cli.output.write(`${JSON.stringify(schema, undefined, 1)}\n`);
    });
}

const helpAfter = `
Examples:
  runbook schema > runbook.schema.json                       the modules beside this folder's playbooks
  runbook schema --playbook playbooks > runbook.schema.json  those beside the playbooks of another`;

/** The folder of a playbook. Raises `file-unreadable` when there is nothing of that name. */
async function folderOf(playbook: string): Promise<string> {
  const [{ RunbookError, fileProblem }] = await Promise.all([import('../base/errors.ts')]);
  try {
    return (await stat(playbook)).isDirectory() ? playbook : dirname(playbook);
  } catch (error) {
    throw new RunbookError('file-unreadable', `cannot read ${playbook}: ${fileProblem(error)}`);
  }
}

async function roleModules(folder: string): Promise<string[]> {
  const roles = await readdir(join(folder, 'roles')).catch(() => []);
  const folders = roles.map((role) => join(folder, 'roles', role, 'modules'));
  const found = await Promise.all(folders.map((path) => stat(path).catch(() => undefined)));
  return folders.filter((_, i) => found[i]?.isDirectory());
}

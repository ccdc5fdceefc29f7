import { Command, Option } from 'commander';
import type { Registry } from '../module/registry.ts';
import { createPaint, type Paint } from '../report/paint.ts';
import { visible } from '../report/text.ts';
import type { Cli } from './cli.ts';
import { modulesOption } from './shared-options.ts';

/** `runbook modules`. */
export function modulesCommand(cli: Cli): Command {
  return new Command('modules')
    .summary('list the modules')
    .description('Lists the built-in modules and those of the given folders.')
    .addOption(modulesOption())
    .addOption(new Option('--output <kind>', 'for people, or for programs').choices(['text', 'json']).default('text'))
    .addHelpText('after', helpAfter)
    .action(async (options: { modules: readonly string[]; output: 'text' | 'json' }) => {
      const { loadModules } = await import('../module/loader.ts');
      const registry = await loadModules({ directories: options.modules });
      const isJson = options.output === 'json';
      cli.output.write(isJson ? modulesJson(registry) : modulesTable(registry, createPaint(cli.output.color)));
    });
}

const helpAfter = `
Examples:
  runbook modules                              the built-in ones
  runbook modules --modules playbooks/modules  your own as well`;

/** Name, kind, summary of each module, and the file of those that are not built in. */
function modulesTable(registry: Registry, paint: Paint): string {
  const rows = describe(registry);
  const width = (key: 'name' | 'kind'): number => Math.max(0, ...rows.map((row) => row[key].length));
  const lines = rows.map((row) => {
    const origin = row.origin === 'built-in' ? '' : paint.dim(`  (${row.origin})`);
    return `${paint.bold(row.name.padEnd(width('name')))}  ${row.kind.padEnd(width('kind'))}  ${row.summary}${origin}`;
  });
  return `${lines.map((line) => `${line}\n`).join('')}\nrunbook doc NAME explains one.\n`;
}

function modulesJson(registry: Registry): string {
  return `${JSON.stringify(describe(registry), undefined, 2)}\n`;
}

function describe(registry: Registry): { name: string; kind: string; summary: string; origin: string }[] {
  return registry.names().flatMap((name) => {
    const module = registry.get(name);
    if (!module) return [];
    return [{ name, kind: module.kind, summary: visible(module.summary), origin: registry.origin(name) }];
  });
}

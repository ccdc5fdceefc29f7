import { Command, Option } from 'commander';
import type { Cli } from './cli.ts';
import { modulesOption } from './shared-options.ts';

interface DocOptions {
  readonly modules: readonly string[];
  readonly output: 'text' | 'json';
}

/** `runbook doc NAME`. */
export function docCommand(cli: Cli): Command {
  return new Command('doc')
    .summary('explain a module or a keyword')
    .description(
      'Explains a module (what it does, its arguments, examples) or a keyword of the language (what it means, what it takes, how Ansible differs).',
    )
    .argument('<name>', 'module or keyword')
    .addOption(modulesOption())
    .addOption(new Option('--output <kind>', 'for people, or for programs').choices(['text', 'json']).default('text'))
    .addHelpText('after', helpAfter)
    .action(async (name: string, options: DocOptions) => {
      cli.output.write((await moduleText(cli, name, options)) ?? (await keywordText(cli, name, options)));
    });
}

const helpAfter = `
Examples:
  runbook doc copy                              a module
  runbook doc serial                            a keyword
  runbook doc motd --modules playbooks/modules  a module of your own`;

async function moduleText(cli: Cli, name: string, { modules, output }: DocOptions): Promise<string | undefined> {
  const [{ loadModules }, { moduleDoc, moduleJson }] = await Promise.all([
    import('../module/loader.ts'),
    import('./module-doc.ts'),
  ]);
  const registry = await loadModules({ directories: modules });
  const module = registry.get(name);
  if (!module) return undefined;
  const origin = registry.origin(name);
  return output === 'json' ? moduleJson(module, origin) : moduleDoc(module, origin, await styleOf(cli));
}

/** Raises `usage` when there is neither. */
async function keywordText(cli: Cli, name: string, { modules, output }: DocOptions): Promise<string> {
  const [{ keywords }, { keywordDoc, keywordJson }] = await Promise.all([
    import('../language/keywords.ts'),
    import('./keyword-doc.ts'),
  ]);
  const keyword = keywords.find((k) => k.name === name);
  if (keyword) return output === 'json' ? keywordJson(keyword) : keywordDoc(keyword, await styleOf(cli));
  throw await nothingCalled(name, modules);
}

async function nothingCalled(name: string, modules: readonly string[]): Promise<Error> {
  const [{ loadModules }, { keywords, foreignKeywords }, { RunbookError }, { didYouMean }] = await Promise.all([
    import('../module/loader.ts'),
    import('../language/keywords.ts'),
    import('../base/errors.ts'),
    import('../base/diagnostic.ts'),
  ]);
  const known = [...(await loadModules({ directories: modules })).names(), ...keywords.map((k) => k.name)];
  const foreign = Object.hasOwn(foreignKeywords, name) ? foreignKeywords[name] : undefined;
  const hint = foreign ?? didYouMean(name, known) ?? 'runbook modules lists the modules, docs/language.md the keywords';
  return new RunbookError('usage', `there is no module or keyword "${name}"`, { hint });
}

async function styleOf({ output }: Cli) {
  const { createPaint } = await import('../report/paint.ts');
  return { paint: createPaint(output.color), columns: output.columns };
}

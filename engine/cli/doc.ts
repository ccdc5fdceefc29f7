import { Command, Option } from 'commander';
import type { Cli } from './cli.ts';

/** `runbook doc NAME`. */
export function docCommand(cli: Cli): Command {
  return new Command('doc')
    .summary('explain a module')
    .description('Explains a module: what it does, its arguments, examples. All of it comes from its definition.')
    .argument('<name>', 'module')
    .option('--modules <folder>', 'folder of custom modules; repeatable', (v, all: string[]) => [...all, v], [])
    .addOption(new Option('--output <kind>').choices(['text', 'json']).default('text'))
    .action(async (name: string, options: { modules: readonly string[]; output: 'text' | 'json' }) => {
      const [{ loadModules }, { RunbookError }, { didYouMean }, { moduleDoc, moduleJson }, { createPaint }] =
        await Promise.all([
          import('../module/loader.ts'),
          import('../base/errors.ts'),
          import('../base/diagnostic.ts'),
          import('./module-doc.ts'),
          import('../report/paint.ts'),
        ]);
      const registry = await loadModules({ directories: options.modules });
      const module = registry.get(name);
      if (!module) {
        const hint = didYouMean(name, registry.names()) ?? 'runbook modules lists them';
        throw new RunbookError('usage', `there is no module "${name}"`, { hint });
      }
      const { output } = cli;
      const style = { paint: createPaint(output.color), columns: output.columns };
      const origin = registry.origin(name);
      cli.output.write(options.output === 'json' ? moduleJson(module, origin) : moduleDoc(module, origin, style));
    });
}

import type { Clock } from '../base/clock.ts';
import { createNdjsonReporter } from './ndjson.ts';
import type { Output } from './output.ts';
import { createPlainReporter } from './plain.ts';
import type { Reporter } from './reporter.ts';

/** What `runbook play --output` takes. */
export type OutputKind = 'auto' | 'terminal' | 'plain' | 'ndjson';

/** Makes the reporter for a kind of output. listr2 is loaded for a terminal only. */
export async function createReporter(
  kind: OutputKind,
  { output, errors, env, clock }: { output: Output; errors: Output; env: NodeJS.ProcessEnv; clock: Clock },
): Promise<Reporter> {
  switch (chooseOutput(kind, output, env)) {
    case 'ndjson':
      return createNdjsonReporter(output, errors);
    case 'plain':
      return createPlainReporter(output, clock);
    case 'terminal': {
      const { createTerminalReporter } = await import('./terminal.ts');
      return createTerminalReporter(output, clock);
    }
  }
}

/**
 * Live rows need a terminal that can move its cursor and somebody who watches. CI systems often attach a pty to what
 * becomes a log file, so `CI` counts as nobody; `--output terminal` overrules that, but not the lack of a terminal.
 */
export function chooseOutput(
  kind: OutputKind,
  output: Pick<Output, 'isTTY'>,
  env: NodeJS.ProcessEnv,
): 'terminal' | 'plain' | 'ndjson' {
  if (kind === 'ndjson' || kind === 'plain') return kind;
  if (!output.isTTY || env.TERM === 'dumb') return 'plain';
  const isCI = env.CI !== undefined && !['', '0', 'false'].includes(env.CI);
  return kind === 'auto' && isCI ? 'plain' : 'terminal';
}

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { HostSummary, StampedEvent } from '../../engine/base/events.ts';

/** What one invocation of `runbook` said. */
export interface CliRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What one invocation with `--output ndjson` said. */
export interface CliEvents extends CliRun {
  readonly events: readonly StampedEvent[];
  /** `host task-id` of every task that ended as changed, leases included; sorted. */
  readonly changed: readonly string[];
  readonly summary: readonly HostSummary[];
}

/** The repository's root. */
export const projectRoot = fileURLToPath(new URL('../../', import.meta.url));

/** `runbook` as it is installed: the program and its first argument. */
export const runbookCommand = [process.execPath, `${projectRoot}bin/runbook.cjs`] as const;

/** Runs `runbook` as a user would run it, without a terminal. */
export function runCli(
  args: readonly string[],
  options: {
    cwd?: string;
    env?: Record<string, string>;
    input?: string;
    onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
    /** Every line of standard output, as soon as it is there. */
    onLine?: (line: string) => void;
  } = {},
): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const [node, program] = runbookCommand;
    const child = spawn(node, [program, ...args], {
      cwd: options.cwd ?? projectRoot,
      env: { ...process.env, NO_COLOR: '1', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    createInterface(child.stdout).on('line', (line) => {
      stdout += `${line}\n`;
      options.onLine?.(line);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
    child.stdin.end(options.input ?? '');
    options.onStart?.((signal) => child.kill(signal));
  });
}

/** Runs `runbook play … --output ndjson` and reads its events. */
export async function playEvents(
  args: readonly string[],
  options: Parameters<typeof runCli>[1] = {},
): Promise<CliEvents> {
  const run = await runCli(['play', ...args, '--output', 'ndjson'], options);
  const lines = run.stdout.split('\n').filter((line) => line.startsWith('{'));
  const events = lines.map((line) => JSON.parse(line) as StampedEvent);
  const changed = events.flatMap((event) =>
    event.type === 'host-task-ended' && event.outcome === 'changed'
      ? [`${event.host} ${event.task.id} ${event.task.name}`]
      : [],
  );
  const end = events.find((event) => event.type === 'run-ended');
  return { ...run, events, changed: [...new Set(changed)].sort(), summary: end?.summary ?? [] };
}

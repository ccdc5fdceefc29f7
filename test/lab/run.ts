import { spawn } from 'node:child_process';
import { LabFailure } from './failure.ts';

/** What a command left behind. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a command. */
export interface RunOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
}

/** Runs a command without a shell and gives back what it printed, whatever its exit code. */
export function attempt(command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: options.env ?? process.env,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    // A command may end before it has read its input; its exit code tells, not the broken pipe.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input);
    child.on('error', (error) => resolve({ code: 127, stdout, stderr: `${stderr}${error.message}` }));
    child.on('close', (code, signal) => {
      const timedOut = signal === 'SIGKILL' && options.timeoutMs !== undefined;
      resolve({
        code: code ?? 137,
        stdout,
        stderr: timedOut ? `${stderr}\nkilled (limit ${options.timeoutMs} ms)` : stderr,
      });
    });
  });
}

/** Runs a command that has to succeed and gives back its standard output. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await attempt(command, args, options);
  if (result.code !== 0) {
    const output = `${result.stderr}${result.stdout}`.trim().split('\n').slice(-15).join('\n');
    throw new LabFailure(`${command} ${args.join(' ')}: exit code ${result.code}\n${output}`);
  }
  return result.stdout;
}

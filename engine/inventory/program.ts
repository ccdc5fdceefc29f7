import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { fileProblem } from '../base/errors.ts';
import { type Telling, untold } from '../base/telling.ts';

/** What a program printed, or why it is of no use. */
export type ProgramEnd =
  | { readonly stdout: string; readonly stderr: string }
  | { readonly problem: string; readonly stderr: string };

/** How long a program may take, and what ends it before. */
export interface ProgramLimits {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  /** Tells that it is waited for. */
  readonly telling?: Telling;
  /** Told what was made of an answer, by command line and part: for comparing it with a later one. */
  readonly onAnswer?: (command: string, parts: Readonly<Record<string, unknown>>) => void;
}

const interrupted = 'was interrupted';

/** More than any inventory is: what prints more does not end. */
const maximumBytes = 256 * 1024 * 1024;

/** Whether a file begins as a program does: with `#!`, or as a compiled one. */
export async function isProgram(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const start = buffer.toString('latin1', 0, bytesRead);
    return start.startsWith('#!') || start === '\x7fELF';
  } finally {
    await file.close();
  }
}

/**
 * Runs a program, by its path or by a name on the PATH, to its end: without input, in the working directory and with the
 * environment of runbook. Never rejects; `signal` ends it at once. What it started itself and left behind is not waited for once the deadline has
 * passed.
 */
export function runProgram(
  command: string,
  args: readonly string[],
  { deadlineMs, signal, telling = untold }: ProgramLimits,
): Promise<ProgramEnd> {
  const wait = { text: `waiting for ${[command, ...args].join(' ')}`, deadlineMs: Date.now() + deadlineMs };
  return telling(wait, () => runToEnd(command, args, { deadlineMs, signal }));
}

function runToEnd(
  command: string,
  args: readonly string[],
  { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal: AbortSignal | undefined },
): Promise<ProgramEnd> {
  if (signal?.aborted) return Promise.resolve({ problem: interrupted, stderr: '' });
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  let size = 0;
  return new Promise((settle) => {
    const end = (problem?: string): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', interrupt);
      child.stdout.destroy();
      child.stderr.destroy();
      const stderr = textOf(output.stderr).trim();
      if (problem !== undefined) return settle({ problem, stderr });
      settle({ stdout: textOf(output.stdout), stderr });
    };
    const kill = (problem: string): void => {
      child.kill('SIGKILL');
      end(problem);
    };
    const interrupt = (): void => kill(interrupted);
    signal?.addEventListener('abort', interrupt);
    const timer = setTimeout(() => kill(`did not end within ${deadlineMs / 1000} s`), deadlineMs);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk: Buffer) => {
        output[name].push(chunk);
        size += chunk.length;
        if (size > maximumBytes) kill(`printed more than ${maximumBytes / 1024 / 1024} MiB`);
      });
    }
    child.once('error', (error) => end(`cannot be started: ${fileProblem(error)}`));
    child.once('close', (code, signal) => {
      if (code === 0) end();
      else end(code === null ? `was killed by ${signal}` : `ended with status ${code}`);
    });
  });
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}

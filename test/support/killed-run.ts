import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { StampedEvent } from '../../engine/base/events.ts';
import { runbookCommand } from './cli.ts';

/** How a process of a run ended. */
export interface KilledRun {
  readonly isKilled: boolean;
  readonly exitCode: number | null;
  readonly events: readonly StampedEvent[];
  readonly stderr: string;
}

/** What happens on a host: every process that is killed after some of these has done something. */
function isOfTask({ type }: StampedEvent): boolean {
  return /^(host-task-|step-|item-|lease-)/.test(type);
}

/** Where the hosts of a run keep what they know of effects. */
export function hostFolder(cwd: string): string {
  return join(cwd, 'host');
}

/** Runs `runbook` with NDJSON events and kills it with SIGKILL when so many of tasks have come: only these are given. */
export function killAfter(cwd: string, args: readonly string[], count = Number.POSITIVE_INFINITY): Promise<KilledRun> {
  return new Promise((resolve, reject) => {
    const [node, program] = runbookCommand;
    const env = { ...process.env, RUNBOOK_HOST_FOLDER: hostFolder(cwd) };
    const child = spawn(node, [program, ...args, '--output', 'ndjson'], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const events: StampedEvent[] = [];
    let stderr = '';
    createInterface(child.stdout).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const event = JSON.parse(line) as StampedEvent;
      if (isOfTask(event)) events.push(event);
      if (events.length >= count) child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ isKilled: signal === 'SIGKILL', exitCode, events, stderr }));
  });
}

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Command } from '../measure.ts';

/** Whether processes can be counted here. */
export function canTrace(): boolean {
  return existsSync('/usr/bin/strace') && process.getuid?.() === 0;
}

const calls = ['-f', '-e', 'trace=clone,clone3,fork,vfork', '-e', 'signal=none'];

/** The command under strace, which writes down in a file what processes it starts. */
export function traced(command: Command, file: string): Command {
  const { file: program, args } = command;
  return { ...command, file: 'strace', args: ['-qq', '--seccomp-bpf', ...calls, '-o', file, program, ...args] };
}

/** Watches running processes; {@link WatchedProcesses.stop} lets go of them. */
export interface WatchedProcesses {
  stop(): Promise<void>;
}

/** Has strace write down in a file what these processes start from now on, and what that starts. */
export async function watchProcesses(pids: readonly number[], file: string): Promise<WatchedProcesses> {
  const args = [...calls, '-o', file, ...pids.flatMap((pid) => ['-p', String(pid)])];
  const strace = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => strace.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    strace.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if ((said.match(/ attached/g)?.length ?? 0) >= pids.length) resolve();
    });
    strace.once('error', reject).once('exit', () => reject(new Error(`strace: ${said}`)));
  });
  return {
    async stop() {
      strace.kill('SIGINT');
      await ended;
    },
  };
}

/** How many processes were started, threads not counted, by what strace wrote down. */
export async function processesIn(file: string): Promise<number> {
  return countProcesses(await readFile(file, 'utf8'));
}

/** The same from the text. A call may be cut in two lines by what another process did meanwhile: its beginning counts. */
export function countProcesses(trace: string): number {
  return trace.split('\n').filter((line) => {
    const isStart = /^\d+ +(clone3?|v?fork)\(/.test(line);
    const hasFailed = /= (-1|\?)/.test(line);
    return isStart && !hasFailed && !line.includes('CLONE_THREAD');
  }).length;
}

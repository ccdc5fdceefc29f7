import { fork } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The command lines of every process of this machine that were seen while it watched. */
export interface ProcessWatch {
  readonly commandLines: ReadonlySet<string>;
  stop(): Promise<void>;
}

/**
 * Reads the process list over and over, in a process of its own, until it is stopped. A process that lives shorter than
 * a round (some milliseconds) can be missed: let what is to be seen sleep a little.
 */
export async function watchProcesses(): Promise<ProcessWatch> {
  const commandLines = new Set<string>();
  const child = fork(fileURLToPath(import.meta.url), ['watch'], { execArgv: ['--import', import.meta.resolve('tsx')] });
  child.on('message', (lines: string[]) => {
    for (const line of lines) commandLines.add(line);
  });
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('error', reject);
  });
  return {
    commandLines,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.send('stop');
      }),
  };
}

function watch(): void {
  const known = new Set<string>();
  let isStopped = false;
  process.on('message', () => {
    isStopped = true;
  });
  const round = (): void => {
    const lines = commandLinesNow().filter((line) => !known.has(line));
    for (const line of lines) known.add(line);
    if (lines.length > 0) process.send?.(lines);
    if (isStopped) process.disconnect();
    else setTimeout(round, 2);
  };
  round();
}

function commandLinesNow(): string[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return [];
    }
  });
}

if (process.argv[2] === 'watch' && process.send) watch();

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { cpuMsOf } from './cpu-time.ts';
import { endLeftovers, marker } from './leftovers.ts';
import { watchTree } from './process-tree.ts';

/** A program to run and to measure. What it prints is read and dropped, but for the end of it when it fails. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What one run of a program took. */
export interface Sample {
  readonly wallMs: number;
  /** User and system time of the program, of the children that it waited for, and of what it left running. */
  readonly cpuMs: number;
  /**
   * The most memory that the program itself had resident at a time, or, where that was more, it and its children together:
   * those are sampled, and memory that they share counts once. MiB.
   */
  readonly peakMb: number;
}

/** The middle of several samples, with the least and the most. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** What several runs of a program took. */
export interface Measurement {
  readonly runs: number;
  readonly wallMs: Spread;
  readonly cpuMs: Spread;
  readonly peakMb: Spread;
}

/** How often a running program is looked at. What happens after the last look is not seen. Milliseconds. */
const intervalMs = 5;

/**
 * Runs a program so many times, one after another, each time after `before`, which is not measured. Raises when it fails: a
 * failure is no measurement.
 */
export async function measure(
  command: Command,
  runs: number,
  before: () => Promise<void> = async () => {},
): Promise<Measurement> {
  const samples: Sample[] = [];
  for (let i = 0; i < runs; i++) {
    await before();
    samples.push(await runOnce(command));
  }
  return {
    runs,
    wallMs: spreadOf(samples.map((sample) => sample.wallMs)),
    cpuMs: spreadOf(samples.map((sample) => sample.cpuMs)),
    peakMb: spreadOf(samples.map((sample) => sample.peakMb)),
  };
}

/** The spread of at least one number. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return { median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, min: at(0), max: at(sorted.length - 1) };
}

/** Runs a program once. What it leaves running, such as shared connections, is ended afterwards. */
export async function runOnce({ file, args, cwd, env }: Command): Promise<Sample> {
  const run = randomUUID();
  const started = performance.now();
  const child = spawn(file, args, {
    cwd,
    env: { ...process.env, ...env, [marker]: run },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2000);
    });
  }
  let last = { cpuMs: 0, peakMb: 0 };
  const tree = watchTree(child.pid);
  const watch = setInterval(() => void look(child.pid).then((seen) => (last = seen ?? last)), intervalMs);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('exit', resolve);
  }).finally(() => {
    clearInterval(watch);
    tree.stop();
  });
  const wallMs = performance.now() - started;
  const leftovers = await endLeftovers(run);
  if (exitCode !== 0) throw new Error(`${[file, ...args].join(' ')}: exit status ${exitCode}\n${complaint}`);
  return { wallMs, cpuMs: last.cpuMs + leftovers.cpuMs, peakMb: Math.max(last.peakMb, tree.peakMb) };
}

async function look(pid: number | undefined): Promise<{ cpuMs: number; peakMb: number } | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const peakKb = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    // It has ended, and only its parent has not noticed yet.
    if (peakKb === undefined) return undefined;
    return { cpuMs: cpuMsOf(stat), peakMb: Number(peakKb) / 1024 };
  } catch {
    return undefined;
  }
}

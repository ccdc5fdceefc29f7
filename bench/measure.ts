import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { leftoversOf, marker } from './leftovers.ts';
import { type TreeWatch, watchTree } from './process-tree.ts';

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

/** A program that is measured, beside others or by itself. */
export interface Measured {
  readonly command: Command;
  readonly runs: number;
  /** What has to be done before each run, and is not measured. */
  readonly before?: () => Promise<void>;
  /** Called after the last run. */
  readonly afterLast?: () => Promise<void>;
}

/** How often a running program is looked at. What happens after the last look is not seen. Milliseconds. */
const intervalMs = 5;

/** A program, and what its runs took. */
export interface MeasuredProgram<P extends Measured> {
  readonly program: P;
  readonly measurement: Measurement;
}

/**
 * Runs programs in turns, so that an hour in which the machine is slow is one for all of them. Raises when one fails: a
 * failure is no measurement.
 */
export async function measureInTurns<P extends Measured>(
  programs: readonly P[],
  signal?: AbortSignal,
): Promise<MeasuredProgram<P>[]> {
  const all = programs.map((program) => ({ program, samples: [] as Sample[] }));
  for (let round = 0; programs.some(({ runs }) => round < runs); round++) {
    for (const { program, samples } of all.filter(({ program }) => round < program.runs)) {
      signal?.throwIfAborted();
      await program.before?.();
      samples.push(await runOnce(program.command, signal));
      if (round === program.runs - 1) await program.afterLast?.();
    }
  }
  return all.map(({ program, samples }) => ({ program, measurement: measurementOf(samples) }));
}

function measurementOf(samples: readonly Sample[]): Measurement {
  return {
    runs: samples.length,
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

/**
 * Runs a program once. What it leaves running, such as shared connections, is ended afterwards. Raises when it fails, and
 * when `signal` is aborted, which ends it.
 */
export async function runOnce({ file, args, cwd, env }: Command, signal?: AbortSignal): Promise<Sample> {
  const run = randomUUID();
  const leftBehind = await leftoversOf(run, cwd);
  signal?.throwIfAborted();
  const started = performance.now();
  const child = spawn('bash', ['-c', timed, 'bash', file, ...args], {
    cwd,
    env: { ...process.env, ...env, [marker]: run },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  // Whoever gives up a benchmark leaves no tool at work on its hosts.
  const giveUp = (): void => void child.kill();
  signal?.addEventListener('abort', giveUp);
  let complaint = '';
  // These are pipes, as is said above.
  const [, stdout, stderr, told] = child.stdio as readonly Readable[];
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2000);
    });
  }
  let times = '';
  const watch = createWatch();
  told?.setEncoding('utf8').on('data', (text: string) => {
    times += text;
    if (times.includes('\n')) watch.start(Number(times.split('\n', 1)[0]));
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('exit', resolve);
  }).finally(() => {
    watch.stop();
    signal?.removeEventListener('abort', giveUp);
  });
  const wallMs = performance.now() - started;
  const leftovers = await leftBehind.end();
  // Nobody holds it any more, unless something escaped that was left running.
  if (told && !told.readableEnded) await once(told, 'end', { signal: AbortSignal.timeout(10_000) });
  signal?.throwIfAborted();
  if (exitCode !== 0) throw new Error(`${[file, ...args].join(' ')}: exit status ${exitCode}\n${complaint}`);
  return { wallMs, cpuMs: childrenMs(times) + leftovers.cpuMs, peakMb: watch.peakMb };
}

/**
 * Runs its arguments as a program, and tells which process that is and, once it has ended, what CPU time it took with the
 * children that were waited for, however short they were. What runs in the background is deaf to Ctrl-C, so it is told.
 */
const timed = 'trap "kill \\$!" INT TERM; "$@" & echo $! >&3; wait $!; status=$?; times >&3; exit $status';

/** From what `times` of bash prints: on its second line, the user and system time of children, as `0m1.234s 0m0.100s`. */
export function childrenMs(told: string): number {
  const times = told.trimEnd().split('\n').at(-1) ?? '';
  const parts = [...times.matchAll(/(\d+)m([\d.]+)s/g)];
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000, 0);
}

interface Watch {
  /** MiB. */
  readonly peakMb: number;
  /** Looks at a process and its children from now on; called again it goes on. */
  start(pid: number): void;
  stop(): void;
}

function createWatch(): Watch {
  let ownMb = 0;
  let timer: NodeJS.Timeout | undefined;
  let tree: TreeWatch | undefined;
  return {
    get peakMb() {
      return Math.max(ownMb, tree?.peakMb ?? 0);
    },
    start(pid) {
      tree ??= watchTree(pid);
      timer ??= setInterval(() => void residentMb(pid).then((mb) => (ownMb = Math.max(ownMb, mb))), intervalMs);
    },
    stop() {
      clearInterval(timer);
      tree?.stop();
    },
  };
}

/** The most that a process had resident; 0 once it has ended. */
async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

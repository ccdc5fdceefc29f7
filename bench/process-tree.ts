import { readdirSync, readFileSync } from 'node:fs';

/** A look at a program and its children, again and again until it is stopped. */
export interface TreeWatch {
  /** The most memory that they had together at a time. MiB. */
  readonly peakMb: number;
  stop(): void;
}

/** The looks take at most this part of one processor: they must not slow down what they look at. */
const share = 0.03;

/** Looks at the memory of a process and its children. A program without children is not looked at closely. */
export function watchTree(pid: number | undefined): TreeWatch {
  let peakMb = 0;
  let timer: NodeJS.Timeout;
  const look = (): void => {
    const started = performance.now();
    const pids = pid === undefined ? [] : treeOf(pid);
    if (pids.length > 1)
      peakMb = Math.max(
        peakMb,
        pids.map(memoryMb).reduce((sum, mb) => sum + mb, 0),
      );
    timer = setTimeout(look, Math.max(20, (performance.now() - started) / share));
  };
  timer = setTimeout(look, 20);
  return {
    get peakMb() {
      return peakMb;
    },
    stop: () => clearTimeout(timer),
  };
}

function treeOf(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(' '));
  return [pid, ...children.filter((child) => child !== '').flatMap((child) => treeOf(Number(child)))];
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** What would be free if the process ended, and its part of what it shares with others. */
function memoryMb(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** The process that works on a run. */
export interface Holder {
  readonly pid: number;
  readonly machine: string;
  /** When it began, in ticks since the machine started: the same number may be another process later. */
  readonly ticks?: string;
}

/** What can be said of a run's process. `elsewhere`: it is, or was, on another machine. */
export type Liveliness = 'running' | 'elsewhere' | 'dead';

/** Takes the lock of a run's folder, also from a holder that is dead. Gives the holder where there is a living one. */
export function takeLock(folder: string): { readonly release: () => void } | { readonly holder: Holder } {
  const path = join(folder, 'lock');
  const own = `${path}.${process.pid}`;
  writeFileSync(own, `${JSON.stringify(thisProcess())}\n`, { mode: 0o600 });
  try {
    while (!tryLink(own, path)) {
      const text = read(path);
      const holder = text === undefined ? undefined : parse(text);
      if (holder && livelinessOf(holder) !== 'dead') return { holder };
      if (text !== undefined) removeStale(path, text);
    }
    return { release: () => rmSync(path, { force: true }) };
  } finally {
    rmSync(own, { force: true });
  }
}

/** Whether somebody works on the run of a folder. */
export function readLock(folder: string): { readonly liveliness: Liveliness; readonly holder?: Holder } {
  const text = read(join(folder, 'lock'));
  const holder = text === undefined ? undefined : parse(text);
  return holder ? { liveliness: livelinessOf(holder), holder } : { liveliness: 'dead' };
}

function tryLink(own: string, path: string): boolean {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false;
    throw error;
  }
}

/** Of two processes that find the same dead holder only one gets the lock: the other one puts back what it moved away. */
function removeStale(path: string, expected: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    // The other one was faster.
    return;
  }
  if (read(aside) !== expected) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function livelinessOf({ pid, machine, ticks }: Holder): Liveliness {
  if (machine !== hostname()) return 'elsewhere';
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EPERM') return 'dead';
  }
  const now = ticksOf(pid);
  return ticks !== undefined && now !== undefined && ticks !== now ? 'dead' : 'running';
}

function thisProcess(): Holder {
  const ticks = ticksOf(process.pid);
  return { pid: process.pid, machine: hostname(), ...(ticks !== undefined && { ticks }) };
}

/** The 22nd field of `/proc/PID/stat`; the second one, the name, can have spaces and brackets in it. */
function ticksOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A process that has ended and that its parent has not asked for is dead.
  return fields?.[0] === 'Z' ? 'ended' : fields?.[19];
}

function parse(text: string): Holder | undefined {
  try {
    // Written by `takeLock`.
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** A file system of its own. */
export interface SmallDisk extends Disposable {
  readonly path: string;
  /** From here on nothing can be written to it. */
  makeReadOnly(): void;
}

/** Why none can be made here, or undefined when one can. */
export function whyNoSmallDisk(): string | undefined {
  return process.getuid?.() === 0 && canMount() ? undefined : 'mounting needs root and the right to do so';
}

/** Mounts a file system in memory with room for so many bytes. */
export function mountSmallDisk(path: string, bytes: number): SmallDisk {
  mkdirSync(path, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},nr_inodes=200`, 'tmpfs', path]);
  return {
    path,
    makeReadOnly: () => void execFileSync('mount', ['-o', 'remount,ro', path]),
    [Symbol.dispose]: () => void execFileSync('umount', ['-l', path]),
  };
}

function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

import { closeSync, fdatasync, fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';

/**
 * A file to which lines are added. What is amiss is raised by `sync` and `synced`, and told to `onProblem` where nobody
 * waits; nothing is written after it, since a line may have been cut short, or be lost.
 */
export interface AppendFile {
  /**
   * Adds a line. It goes to the system together with others, before the process waits for anything: then it outlives the
   * process, but not the loss of power.
   */
  append(line: string): void;
  /** Returns when all that was appended is on disk. */
  sync(): void;
  /**
   * Resolves when all that was appended is on disk, and lets others go on meanwhile. Whoever asks while the disk is at work
   * waits for its next turn, together with all who do: many hosts cost hardly more of them than one.
   */
  synced(): Promise<void>;
  close(): void;
}

/**
 * Opens a file for its owner alone. A line at its end that a dying process did not write to its end is taken away. `syncSoon`
 * syncs a file by its descriptor, and blocks nobody meanwhile.
 */
export function openAppendFile(
  path: string,
  onProblem: (problem: Error) => void,
  syncSoon: (file: number) => Promise<void> = promisify(fdatasync),
): AppendFile {
  const file = openSync(path, 'a+', 0o600);
  const content = readFileSync(file);
  const end = content.lastIndexOf('\n'.charCodeAt(0)) + 1;
  if (end < content.length) ftruncateSync(file, end);
  let isOpen = true;
  let waiting: string[] = [];
  let problem: unknown;
  let underWay: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  function write(): void {
    if (problem !== undefined) throw problem;
    if (waiting.length === 0) return;
    const bytes = Buffer.from(`${waiting.join('\n')}\n`);
    waiting = [];
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    } catch (error) {
      giveUp(error);
    }
  }

  function writeSoon(): void {
    if (!isOpen || problem !== undefined) return;
    try {
      write();
    } catch (error) {
      onProblem(error as Error);
    }
  }

  async function syncAll(): Promise<void> {
    next = undefined;
    if (!isOpen) throw new Error('the file is closed');
    write();
    await syncSoon(file).catch(giveUp);
  }

  function giveUp(error: unknown): never {
    problem ??= error;
    throw error;
  }

  return {
    append(line) {
      if (isOpen && problem === undefined && waiting.push(line) === 1) setImmediate(writeSoon);
    },
    sync() {
      if (!isOpen) return;
      write();
      try {
        fdatasyncSync(file);
      } catch (error) {
        giveUp(error);
      }
    },
    synced() {
      next ??= underWay = underWay.catch(() => undefined).then(syncAll);
      return next;
    },
    close() {
      writeSoon();
      if (isOpen) closeSync(file);
      isOpen = false;
    },
  };
}

import { closeSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';

/** A file to which lines are added. Every call raises what the system says when it fails. */
export interface AppendFile {
  /** Hands a line to the system: it outlives this process, but not the loss of power. */
  append(line: string): void;
  /** Returns when all that was appended is on disk. */
  sync(): void;
  close(): void;
}

/** Opens a file for its owner alone. A line at its end that a dying process did not write to its end is taken away. */
export function openAppendFile(path: string): AppendFile {
  const file = openSync(path, 'a+', 0o600);
  const content = readFileSync(file);
  const end = content.lastIndexOf('\n'.charCodeAt(0)) + 1;
  if (end < content.length) ftruncateSync(file, end);
  let isOpen = true;
  return {
    append(line) {
      if (!isOpen) return;
      const bytes = Buffer.from(`${line}\n`);
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    },
    sync() {
      if (isOpen) fdatasyncSync(file);
    },
    close() {
      if (isOpen) closeSync(file);
      isOpen = false;
    },
  };
}

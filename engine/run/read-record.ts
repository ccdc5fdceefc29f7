import { createHash } from 'node:crypto';
import { isAbsolute, relative, resolve } from 'node:path';
import { oncePerVersion } from '../base/per-version.ts';
import { createKeylessOpener, type FileOpener } from '../language/encrypted-files.ts';
import { isHeldInMemory } from './file-content.ts';

/** What a run has read so far. The sums are of contents in clear, so they are not to leave the process as they are. */
export interface ReadRecord {
  /** SHA-256 by path, as {@link recordedPath} writes it. */
  readonly files: ReadonlyMap<string, string>;
  /** What programs said, by command line and then by part of the answer. */
  readonly outputs: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Opens files and keeps their sums. */
  readonly opener: FileOpener;
  /** Keeps what a program said. */
  readonly noteOutput: (command: string, parts: Readonly<Record<string, unknown>>) => void;
  /** Keeps the sum of a file that others than the opener read. A file that cannot be read has none. */
  readonly noteFile: (path: string) => Promise<void>;
}

/** A record of nothing; files are opened by `opener`, without one as such that are not encrypted. */
export function createReadRecord(opener: FileOpener = createKeylessOpener()): ReadRecord {
  const files = new Map<string, string>();
  const outputs = new Map<string, Readonly<Record<string, unknown>>>();
  const note = (path: string, sha256: string): void => {
    files.set(recordedPath(path), sha256);
  };
  const digest = oncePerVersion((path) => opener.digest(path));
  const recording: FileOpener = {
    async digest(path) {
      const sha256 = await digest(path);
      note(path, sha256);
      return sha256;
    },
    async open(path, shown) {
      const source = await opener.open(path, shown);
      note(path, sha256Of(source.text));
      return source;
    },
    async openBytes(path) {
      const opened = await opener.openBytes(path);
      note(path, sha256Of(opened.bytes));
      return opened;
    },
  };
  return {
    files,
    outputs,
    opener: recording,
    noteOutput: (command, parts) => void outputs.set(command, parts),
    async noteFile(path) {
      try {
        if (await isHeldInMemory(path)) await recording.openBytes(path);
        else await recording.digest(path);
      } catch {
        // Whoever needs it says why it cannot be read; that it has no sum is a difference to a run that could.
      }
    },
  };
}

/** The same file has one name in a record: relative to the working directory when it is below it, else absolute. */
export function recordedPath(path: string): string {
  const absolute = resolve(path);
  const fromHere = relative('', absolute);
  return fromHere === '' || fromHere.startsWith('..') || isAbsolute(fromHere) ? absolute : fromHere;
}

function sha256Of(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

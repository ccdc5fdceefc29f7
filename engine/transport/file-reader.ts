import { type FileHandle, open } from 'node:fs/promises';
import { errorMessage, RunbookError } from '../base/errors.ts';

/**
 * Reads a file of the controller from its beginning to its end, in pieces of 1 MiB. Nobody may change a piece: others get
 * the same one. Raises `file-unreadable`.
 */
export type FileReader = (path: string) => AsyncIterable<Uint8Array>;

/** Reads of this size cost half the CPU of the default's (measured, ssh2 over loopback). */
export const pieceBytes = 1024 * 1024;
/** Of each file: so far behind the first one of its readers another may be before it has to read for itself. */
const keptPieces = 32;

/** Pieces of one version of a file, by where they begin, the oldest first. */
interface Shared {
  readonly pieces: Map<number, Promise<Uint8Array>>;
  readers: number;
}

/** Makes a reader for files that go to many hosts at a time: what one has read lately the others need not read again. */
export function createFileReader(): FileReader {
  const files = new Map<string, Shared>();

  return async function* (path) {
    const handle = await open(path).catch((error) => Promise.reject(unreadable(error)));
    const version = await versionOf(handle);
    const shared = files.get(version) ?? { pieces: new Map(), readers: 0 };
    files.set(version, shared);
    shared.readers++;
    try {
      for (let at = 0; ; ) {
        const piece = await pieceOf(shared, handle, at);
        if (piece.length === 0) return;
        yield piece;
        at += piece.length;
      }
    } finally {
      shared.readers--;
      if (shared.readers === 0) files.delete(version);
      await handle.close();
    }
  };
}

function pieceOf({ pieces }: Shared, handle: FileHandle, at: number): Promise<Uint8Array> {
  const known = pieces.get(at);
  if (known) return known;
  const piece = readAt(handle, at);
  pieces.set(at, piece);
  const [oldest] = pieces.keys();
  if (pieces.size > keptPieces && oldest !== undefined) pieces.delete(oldest);
  return piece;
}

async function readAt(handle: FileHandle, at: number): Promise<Uint8Array> {
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafeSlow(pieceBytes), 0, pieceBytes, at);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw unreadable(error);
  }
}

/** A file that is replaced or written is another one from then on. */
async function versionOf(handle: FileHandle): Promise<string> {
  const { dev, ino, size, ctimeNs } = await handle.stat({ bigint: true });
  return [dev, ino, size, ctimeNs].join(' ');
}

function unreadable(error: unknown): RunbookError {
  return new RunbookError('file-unreadable', `cannot read the file to put: ${errorMessage(error)}`, { cause: error });
}

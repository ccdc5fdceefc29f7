import { type FileHandle, open } from 'node:fs/promises';
import { errorMessage, RunbookError } from '../base/errors.ts';

/**
 * Reads a file of the controller from its beginning to its end, in pieces of 1 MiB. Nobody may change a piece: others get
 * the same one. Raises `file-unreadable`.
 */
export type FileReader = (path: string) => AsyncIterable<Uint8Array>;

/** Reads of this size cost half the CPU of the default's (measured, ssh2 over loopback). */
export const pieceBytes = 1024 * 1024;
/** Of all files together: so far behind the first reader of a file another may be before it has to read for itself. */
const keptPieces = 32;

/** Makes a reader for files that go to many hosts at a time: what one has read lately the others need not read again. */
export function createFileReader(): FileReader {
  // By version of the file and place in it, the oldest first.
  const pieces = new Map<string, Promise<Uint8Array>>();
  let readers = 0;

  function pieceOf(handle: FileHandle, version: string, at: number): Promise<Uint8Array> {
    const key = `${version} ${at}`;
    const known = pieces.get(key);
    if (known) return known;
    const piece = readAt(handle, at);
    pieces.set(key, piece);
    // Whoever tries again may have more luck.
    piece.catch(() => pieces.delete(key));
    const [oldest] = pieces.keys();
    if (pieces.size > keptPieces && oldest !== undefined) pieces.delete(oldest);
    return piece;
  }

  async function* read(path: string): AsyncGenerator<Uint8Array> {
    await using handle = await open(path);
    const version = await versionOf(handle);
    for (let at = 0; ; ) {
      const piece = await pieceOf(handle, version, at);
      if (piece.length === 0) return;
      yield piece;
      at += piece.length;
    }
  }

  return async function* (path) {
    readers++;
    try {
      yield* read(path);
    } catch (error) {
      throw unreadable(error);
    } finally {
      readers--;
      if (readers === 0) pieces.clear();
    }
  };
}

async function readAt(handle: FileHandle, at: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafeSlow(pieceBytes), 0, pieceBytes, at);
  return buffer.subarray(0, bytesRead);
}

/** A file that is replaced or written is another one from then on. */
async function versionOf(handle: FileHandle): Promise<string> {
  const { dev, ino, size, ctimeNs } = await handle.stat({ bigint: true });
  return [dev, ino, size, ctimeNs].join(' ');
}

function unreadable(error: unknown): RunbookError {
  return new RunbookError('file-unreadable', `cannot read the file to put: ${errorMessage(error)}`, { cause: error });
}

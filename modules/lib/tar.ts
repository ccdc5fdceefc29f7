import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { failure } from '../../engine/index.ts';

/** A member of a tar archive. */
export interface TarEntry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'link' | 'hard-link' | 'other';
  readonly mode: number;
  readonly size: number;
  /** Where a link points. */
  readonly target: string;
}

/** Called for each member; what it returns gets the member's bytes, piece by piece. */
export type TarVisitor = (entry: TarEntry) => ((bytes: Uint8Array) => void) | undefined;

/**
 * Walks through a tar archive of the controller, plain or gzip, in POSIX and GNU formats (tar(5)). False when it is
 * compressed in another way: only the host's tar may be able to read it.
 */
export async function walkTar(path: string, visit: TarVisitor): Promise<boolean> {
  const compression = await compressionOf(path);
  if (compression === 'unknown') return false;
  const raw = createReadStream(path, { highWaterMark: 1 << 20 });
  const stream = compression === 'gzip' ? raw.pipe(createGunzip({ chunkSize: 1 << 18 })) : raw;
  // pipe() does not pass errors on.
  raw.on('error', (error) => stream.destroy(error));
  try {
    await walk(new Bytes(stream), visit);
    return true;
  } catch (error) {
    throw failure(`${path} is not a sound tar archive: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    raw.destroy();
  }
}

async function compressionOf(path: string): Promise<'none' | 'gzip' | 'unknown'> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    if (buffer[0] === 0x1f && buffer[1] === 0x8b) return 'gzip';
    return bytesRead === 512 && isHeader(buffer) ? 'none' : 'unknown';
  } finally {
    await file.close();
  }
}

/** Every header carries the sum of its bytes, with the sum's own field read as spaces. */
function isHeader(header: Buffer): boolean {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  return Number.parseInt(text(header, 148, 8).trim(), 8) === sum;
}

async function walk(bytes: Bytes, visit: TarVisitor): Promise<void> {
  let extended: { path?: string; target?: string; size?: number } = {};
  for (;;) {
    const header = await bytes.take(512);
    if (header.every((byte) => byte === 0)) return;
    if (!isHeader(header)) throw new Error('a header has a wrong checksum');
    const flag = String.fromCharCode(header[156] ?? 0);
    const size = extended.size ?? number(header, 124, 12);
    if (flag === 'x' || flag === 'L' || flag === 'K' || flag === 'g') {
      const body = await bytes.take(size);
      await bytes.skip(padding(size));
      if (flag === 'x') extended = { ...extended, ...paxRecords(body) };
      if (flag === 'L') extended = { ...extended, path: text(body, 0, body.length) };
      if (flag === 'K') extended = { ...extended, target: text(body, 0, body.length) };
      continue;
    }
    const type = typeOf(flag);
    const prefix = text(header, 257, 5) === 'ustar' && header[262] === 0 ? text(header, 345, 155) : '';
    const name = text(header, 0, 100);
    const entry: TarEntry = {
      name: extended.path ?? (prefix === '' ? name : `${prefix}/${name}`),
      type,
      mode: number(header, 100, 8) & 0o7777,
      size: type === 'file' ? size : 0,
      target: extended.target ?? text(header, 157, 100),
    };
    extended = {};
    await bytes.skip(entry.size, visit(entry));
    await bytes.skip(padding(entry.size));
  }
}

function typeOf(flag: string): TarEntry['type'] {
  const types: Record<string, TarEntry['type']> = { '5': 'directory', '2': 'link', '1': 'hard-link' };
  return '\u00000 7'.includes(flag) ? 'file' : (types[flag] ?? 'other');
}

function padding(size: number): number {
  return (512 - (size % 512)) % 512;
}

function text(bytes: Buffer, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

/** Octal digits, or for large values GNU's base 256. */
function number(bytes: Buffer, start: number, length: number): number {
  if (((bytes[start] ?? 0) & 0x80) === 0) return Number.parseInt(text(bytes, start, length).trim() || '0', 8);
  let value = 0;
  for (const byte of bytes.subarray(start + 1, start + length)) value = value * 256 + byte;
  return value;
}

/** `LENGTH KEY=VALUE\n`, the length being that of the whole record in bytes. */
function paxRecords(body: Buffer): { path?: string; target?: string; size?: number } {
  const found: { path?: string; target?: string; size?: number } = {};
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(32, at);
    const length = Number(body.toString('utf8', at, space));
    if (space < 0 || !(length > 0)) throw new Error('an extended header is broken');
    const record = body.toString('utf8', space + 1, at + length - 1);
    const value = record.slice(record.indexOf('=') + 1);
    if (record.startsWith('path=')) found.path = value;
    if (record.startsWith('linkpath=')) found.target = value;
    if (record.startsWith('size=')) found.size = Number(value);
    at += length;
  }
  return found;
}

/** Bytes of a stream, taken in the sizes that the reader wants. */
class Bytes {
  readonly #chunks: AsyncIterator<Buffer>;
  #left: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async take(size: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    await this.skip(size, (part) => parts.push(part));
    return Buffer.concat(parts);
  }

  async skip(size: number, sink?: (bytes: Uint8Array) => void): Promise<void> {
    for (let wanted = size; wanted > 0; ) {
      if (this.#left.length === 0) {
        const next = await this.#chunks.next();
        if (next.done) throw new Error('it ends too early');
        this.#left = next.value;
      }
      const part = this.#left.subarray(0, wanted);
      sink?.(part);
      this.#left = this.#left.subarray(part.length);
      wanted -= part.length;
    }
  }
}

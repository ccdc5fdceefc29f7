/** One entry of a tar archive. */
export interface TarEntry {
  readonly path: string;
  readonly mode: number;
  readonly content?: Uint8Array;
  /** A folder has neither content nor a link target. */
  readonly linkTarget?: string;
}

const blockSize = 512;

/**
 * A ustar archive whose bytes depend on its entries only: sorted paths, time 0, owner 0.
 * Digests in inventories and image references stay the same from one build to the next.
 */
export function tar(entries: readonly TarEntry[]): Buffer {
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : 1));
  const blocks = sorted.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? []);
    const padding = Buffer.alloc((blockSize - (content.length % blockSize)) % blockSize);
    return [header(entry, content.length), content, padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockSize)]);
}

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(blockSize);
  if (Buffer.byteLength(entry.path) > 100) throw new Error(`path too long for ustar: ${entry.path}`);
  block.write(entry.path, 0);
  block.write(octal(entry.mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(' '.repeat(8), 148);
  block.write(typeFlag(entry), 156);
  block.write(entry.linkTarget ?? '', 157);
  block.write('ustar\0', 257);
  block.write('00', 263);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${octal(checksum, 6)}\0 `, 148);
  return block;
}

function typeFlag(entry: TarEntry): string {
  if (entry.linkTarget !== undefined) return '2';
  return entry.content === undefined ? '5' : '0';
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

const pieceBytes = 1024 * 1024;

/** The SHA-256 of a file of any size, in hexadecimal. Raises what the file system says when it cannot be read. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await using file = await open(path);
  // One piece is read while the other is hashed.
  let [empty, full] = [Buffer.allocUnsafeSlow(pieceBytes), Buffer.allocUnsafeSlow(pieceBytes)];
  let reading = file.read(empty, 0, pieceBytes);
  while (true) {
    const { bytesRead } = await reading;
    if (bytesRead === 0) return hash.digest('hex');
    [empty, full] = [full, empty];
    reading = file.read(empty, 0, pieceBytes);
    hash.update(full.subarray(0, bytesRead));
  }
}

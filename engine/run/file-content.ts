import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isEncrypted } from '../language/encrypted-files.ts';

/** A file larger than this is streamed instead of being held in memory. Bytes. */
const inMemoryLimit = 256 * 1024;

/** Whether a file of the controller is read as a whole: small ones are, and those that have to be decrypted. */
export async function isHeldInMemory(path: string): Promise<boolean> {
  const { size } = await stat(path);
  return size <= inMemoryLimit || (await isEncrypted(path));
}

/** The SHA-256 of a file that is too large to be held, in hexadecimal. */
export async function streamedDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

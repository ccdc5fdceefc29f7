import { stat } from 'node:fs/promises';
import { isEncrypted } from '../language/encrypted-files.ts';

/** A file larger than this is streamed instead of being held in memory. Bytes. */
const inMemoryLimit = 256 * 1024;

/** Whether a file of the controller is read as a whole: small ones are, and those that have to be decrypted. */
export async function isHeldInMemory(path: string): Promise<boolean> {
  const { size } = await stat(path);
  return size <= inMemoryLimit || (await isEncrypted(path));
}

import { createHash } from 'node:crypto';

/** A digest of a text that is short enough for a key: 16 hex digits of its SHA-256. */
export function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

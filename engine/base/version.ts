import { readFileSync } from 'node:fs';

/** The version in package.json, which stands above `engine/base` in the source tree and above `dist` after a build. */
export function readVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      // package.json is ours and has a version.
      return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }).version;
    } catch {
      // Not here: one folder up.
    }
  }
  return 'unknown';
}

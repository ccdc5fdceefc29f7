import { readFileSync } from 'node:fs';
import { installation } from './installation.ts';

/** The version in package.json, which stands in the source tree, and above `dist` after a build. */
export function readVersion(): string {
  for (const path of ['package.json', '../package.json']) {
    try {
      // package.json is ours and has a version.
      return (JSON.parse(readFileSync(new URL(path, installation), 'utf8')) as { version: string }).version;
    } catch {
      // Not here: one folder up.
    }
  }
  return 'unknown';
}

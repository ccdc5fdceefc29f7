import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A path as SARIF's `uri`. Relative ones stay relative to where the tool ran, as services expect. */
export function toUri(path: string): string {
  return isAbsolute(path) ? pathToFileURL(path).href : path.split('/').map(encodeURIComponent).join('/');
}

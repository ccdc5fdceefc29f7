import { fileURLToPath } from 'node:url';

/**
 * Where the program stands, with its `engine` and `modules`: a source tree, or `dist` after a build. The build puts what it
 * bundles as deep as this file is.
 */
export const installation: URL = new URL('../../', import.meta.url);

/** The program, where a build has made one file of it; undefined from source. */
export const programFile: string | undefined = import.meta.url.endsWith('.cjs')
  ? fileURLToPath(import.meta.url)
  : undefined;

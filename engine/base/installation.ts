/**
 * Where the program stands, with its `engine` and `modules`: a source tree, or `dist` after a build. The build puts what it
 * bundles as deep as this file is.
 */
export const installation: URL = new URL('../../', import.meta.url);

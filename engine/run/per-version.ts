import { stat } from 'node:fs/promises';

/**
 * Makes something of a file once, however many hosts ask for it, and anew when the file is another: a task of the run can
 * have written it.
 */
export function oncePerVersion<T>(make: (path: string) => Promise<T>): (path: string) => Promise<T> {
  const made = new Map<string, { readonly version: string; readonly value: Promise<T> }>();
  return async (path) => {
    const version = await versionOf(path);
    const known = made.get(path);
    if (known?.version === version) return known.value;
    const value = make(path);
    made.set(path, { version, value });
    return value;
  };
}

/** Another one whenever the file is replaced, written, or comes to be. The time of a file's data alone can be set. */
async function versionOf(path: string): Promise<string> {
  const state = await stat(path, { bigint: true }).catch(() => undefined);
  return state ? [state.dev, state.ino, state.size, state.ctimeNs].join(' ') : 'none';
}

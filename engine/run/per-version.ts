import { statNow } from './stat-now.ts';

/**
 * Makes something of a file once, however many hosts ask for it, and anew when the file is another: a task of the run can
 * have written it.
 */
export function oncePerVersion<T>(make: (path: string) => Promise<T>): (path: string) => Promise<T> {
  const made = new Map<string, { readonly version: string; readonly value: Promise<T> }>();
  return async (path) => {
    const version = versionOf(path);
    const known = made.get(path);
    if (version !== undefined && known?.version === version) return known.value;
    const value = make(path);
    if (version === undefined) made.delete(path);
    else made.set(path, { version, value });
    return value;
  };
}

/**
 * Another one whenever the file is replaced, written, or comes to be. The time of a file's data alone can be set. Undefined
 * where it was written so lately that to be written once more could leave the same times: the kernel's clock has ticks.
 */
function versionOf(path: string): string | undefined {
  const state = statNow(path);
  if (state === undefined) return 'none';
  if (Date.now() - Number(state.ctimeMs) < tickMs) return undefined;
  return [state.dev, state.ino, state.size, state.ctimeNs].join(' ');
}

/** Longer than a tick of the kernel's clock, 10 ms at most. */
const tickMs = 20;

import { statNow } from './stat-now.ts';

/** So many files are remembered, those that were asked for last: hosts come to the same tasks one soon after the other. */
const keptFiles = 256;

/**
 * Makes something of a file of the controller once, however many hosts ask for it, and anew when the file is another: a task
 * of the run can have written it. What `make` rejects with is not remembered: whoever tries again may have more luck.
 */
export function oncePerVersion<T>(make: (path: string) => Promise<T>): (path: string) => Promise<T> {
  // Those that were asked for last are at the end.
  const made = new Map<string, Made<T>>();

  function begin(path: string, version: string): Made<T> {
    const entry = { version, value: make(path) };
    entry.value.catch(() => {
      if (made.get(path) === entry) made.delete(path);
    });
    return entry;
  }

  return async (path) => {
    const version = versionOf(path);
    const known = made.get(path);
    made.delete(path);
    if (version === undefined) return make(path);
    const entry = known?.version === version ? known : begin(path, version);
    made.set(path, entry);
    const [oldest] = made.keys();
    if (made.size > keptFiles && oldest !== undefined) made.delete(oldest);
    return entry.value;
  };
}

interface Made<T> {
  readonly version: string;
  readonly value: Promise<T>;
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

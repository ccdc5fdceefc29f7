import { existsSync } from 'node:fs';
import type { Command } from './section.ts';

/** Sends a signal to a command of the page as soon as `path` is there, by which something says that it runs. */
export function signalWhen(path: () => string, signal: NodeJS.Signals): NonNullable<Command['onLine']> {
  let isWatching = false;
  return (_line, kill) => {
    if (isWatching) return;
    isWatching = true;
    const poll = setInterval(() => {
      if (!existsSync(path())) return;
      clearInterval(poll);
      kill(signal);
    }, 20);
  };
}

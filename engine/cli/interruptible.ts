const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does something that may start programs, such as reading an inventory. A signal ends these and makes it fail as
 * interrupted; a second one ends the process at once.
 */
export async function interruptible<T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (interrupt.signal.aborted) process.exit(130);
    interrupt.abort(new Error(`interrupted by ${name}`));
  };
  for (const name of signals) process.on(name, onSignal);
  try {
    return await body(interrupt.signal);
  } finally {
    for (const name of signals) process.removeListener(name, onSignal);
  }
}

/** Prints one line of progress with the seconds since the start, so that a slow step shows itself. */
export function say(line: string): void {
  const seconds = process.uptime().toFixed(1).padStart(5);
  process.stderr.write(`${seconds}s  ${line}\n`);
}

/** Waits for `check` to give something else than undefined; says what it waited for when time is up. */
export async function waitFor<T>(
  what: string,
  limitMs: number,
  check: () => Promise<T | undefined>,
  intervalMs = 200,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`waited ${Math.round(limitMs / 1000)} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}

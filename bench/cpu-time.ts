/** Clock ticks are 10 ms on every Linux that Node runs on. */
const msPerTick = 10;

/** User and system time from a text of /proc/PID/stat, with those of children that were waited for. Milliseconds. */
export function cpuMsOf(stat: string): number {
  // The name in parentheses may have spaces in it; utime is the 12th field after it, then stime, cutime, cstime.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) * msPerTick;
}

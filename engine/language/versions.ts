/**
 * Compares versions as their numbers: `1.10` is above `1.9`, `v1.6` equals `1.6.0`. A pre-release (`-rc.1`, `-beta`,
 * `~rc1`) is below its release; other suffixes (`-18-amd64`, `+b1`) and an epoch (`5:`) do not count.
 */
export function compareVersions(a: string, b: string): -1 | 0 | 1 {
  const left = parse(a);
  const right = parse(b);
  for (let i = 0; i < Math.max(left.numbers.length, right.numbers.length); i++) {
    const difference = (left.numbers[i] ?? 0) - (right.numbers[i] ?? 0);
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  if (left.preRelease === right.preRelease) return 0;
  // Having none is being released.
  if (left.preRelease === undefined) return 1;
  if (right.preRelease === undefined) return -1;
  const order = left.preRelease.localeCompare(right.preRelease, 'en', { numeric: true });
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

function parse(version: string): { numbers: readonly number[]; preRelease: string | undefined } {
  const [, numbers = '0', suffix = ''] = /^\s*(?:\d+:)?v?(\d+(?:\.\d+)*)?(.*?)\s*$/s.exec(version) ?? [];
  const preRelease = /^[-~.]?((?:alpha|beta|rc|pre|dev)[.\d]*)/i.exec(suffix)?.[1]?.toLowerCase();
  return { numbers: numbers.split('.').map(Number), preRelease };
}

import type { Facts } from '../../language/facts-schema.ts';

type Mount = Facts['mounts'][number];

/** Reads lines of /proc/self/mounts and the sizes that `df -kP` gives for some of them. */
export function parseMounts(mounts: readonly string[], df: readonly string[]): Facts['mounts'] {
  const sizes = new Map(df.flatMap(parseSize));
  // Of two mounts at one place the later one is seen.
  const byPath = new Map<string, Mount>();
  for (const line of mounts) {
    const [device, path, fstype] = line.split(' ').map(unescapeOctal);
    if (device === undefined || path === undefined || fstype === undefined) continue;
    byPath.set(path, { path, device, fstype, ...(sizes.get(path) ?? { size_bytes: 0, free_bytes: 0 }) });
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** `/dev/vda  264212084 24475460 81915452      24% /a path`: in KiB; the capacity may be `-`. */
function parseSize(line: string): [string, Pick<Mount, 'size_bytes' | 'free_bytes'>][] {
  const [, size, free, path] = /\s(\d+)\s+\d+\s+(-?\d+)\s+(?:\d+%|-)\s+(\/.*)$/.exec(line) ?? [];
  if (path === undefined) return [];
  return [[path, { size_bytes: Number(size) * 1024, free_bytes: Math.max(0, Number(free)) * 1024 }]];
}

/** The kernel writes a space in a path as `\040`. */
function unescapeOctal(word: string): string {
  return word.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/**
 * Replaces what differs from run to run by something fixed: run ids (the same id by the same), times, durations, ports,
 * process ids, folders. A duration that stands only with slow results is left out.
 */
export function createNormaliser(folders: readonly string[]): (text: string) => string {
  const ids = new Map<string, string>();
  const steadyId = (id: string): string => {
    const known = ids.get(id) ?? `20261121T09${String(30 + ids.size).padStart(2, '0')}00Z-3fa${ids.size}`;
    ids.set(id, known);
    return known;
  };
  return (text) => {
    let steady = text;
    for (const folder of folders) steady = steady.replaceAll(folder, '/home/ops/site');
    steady = steady.replace(/\b\d{8}T\d{6}Z-[0-9a-f]{4}\b/g, steadyId);
    for (const [pattern, replacement] of varying) steady = steady.replace(pattern, replacement);
    return steady;
  };
}

const varying: readonly (readonly [RegExp, string])[] = [
  // Shown from one second on only.
  [/ \((?:\d+\.\d s|\d+ min \d+ s)\)$/gm, ''],
  [/\bin (?:\d+ ms|\d+\.\d s|\d+ min \d+ s)\b/g, 'in 1.2 s'],
  [/"durationMs":\d+/g, '"durationMs":40'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '2026-11-21T09:30:00Z'],
  [/\b\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?\b/g, '2026-11-21 09:30$1'],
  [/\b(127\.0\.0\.1|localhost):\d{4,5}\b/g, '$1:22'],
  [/\b(pid|process) \d+\b/g, '$1 4711'],
];

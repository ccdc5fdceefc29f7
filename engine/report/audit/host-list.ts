/**
 * Names of hosts, shortened as an inventory writes them: `n01 n02 n03 n07` is `n[01:03]`, `n07`. From three on, in the
 * order in which the first of each kind stands.
 */
export function compressNames(names: readonly string[]): readonly string[] {
  return piecesOf(names).map(({ text }) => text);
}

/** Names of hosts on one line, as {@link compressNames} writes them; of many pieces the first, and how many hosts more. */
export function hostList(names: readonly string[], max = 6): string {
  const pieces = piecesOf(names);
  if (pieces.length <= max + 1) return pieces.map(({ text }) => text).join(', ');
  const left = pieces.slice(max).reduce((sum, { count }) => sum + count, 0);
  const shown = pieces.slice(0, max).map(({ text }) => text);
  return `${shown.join(', ')} and ${left} more`;
}

/** One name or a range of names. */
interface Piece {
  readonly text: string;
  readonly count: number;
}

function piecesOf(names: readonly string[]): readonly Piece[] {
  const kinds = new Map<string, Numbered[]>();
  for (const name of new Set(names)) {
    const numbered = split(name);
    const key = JSON.stringify([numbered.head, numbered.tail, numbered.digits === '']);
    const kind = kinds.get(key);
    if (kind) kind.push(numbered);
    else kinds.set(key, [numbered]);
  }
  return [...kinds.values()].flatMap(compressKind);
}

/** A name around its last number. */
interface Numbered {
  readonly head: string;
  readonly digits: string;
  readonly tail: string;
}

function split(name: string): Numbered {
  // An address is no number to count on, and neither is one that a double has no room for.
  if (/^[\d.]+$|:/.test(name)) return { head: name, digits: '', tail: '' };
  const [, head = name, digits = '', tail = ''] = /^(.*?)(\d{1,15})(\D*)$/.exec(name) ?? [];
  return { head, digits, tail };
}

function compressKind(all: readonly Numbered[]): readonly Piece[] {
  const sorted = [...all].sort((a, b) => Number(a.digits) - Number(b.digits) || a.digits.length - b.digits.length);
  const runs: Numbered[][] = [];
  for (const name of sorted) {
    const run = runs.at(-1);
    const first = run?.[0];
    if (run && first && name.digits === successor(first, run.length)) run.push(name);
    else runs.push([name]);
  }
  return runs.flatMap(writeRun);
}

/** The number `by` after the first one, written as an inventory's range would: `[01:12]` keeps its zeros. */
function successor({ digits }: Numbered, by: number): string {
  const next = String(Number(digits) + by);
  return digits.startsWith('0') ? next.padStart(digits.length, '0') : next;
}

function writeRun(run: readonly Numbered[]): readonly Piece[] {
  const [first] = run;
  const last = run.at(-1);
  if (first && last && run.length >= 3) {
    return [{ text: `${first.head}[${first.digits}:${last.digits}]${first.tail}`, count: run.length }];
  }
  return run.map(({ head, digits, tail }) => ({ text: head + digits + tail, count: 1 }));
}

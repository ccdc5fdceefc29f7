/** Names that a pattern stands for, or what is wrong with it and where (offsets within the pattern). */
export type Expansion =
  | { readonly names: readonly string[] }
  | { readonly message: string; readonly hint?: string; readonly start: number; readonly end: number };

/** More names than this from one line are a slip of the keyboard and would only fill the memory. */
const maximumNames = 100_000;

/**
 * Expands `[begin:end]` and `[begin:end:step]` in a host name, both ends included: numbers, zero-padded when `begin` is,
 * or single letters. Several ranges in a name give every combination, the last one running fastest.
 */
export function expandRanges(pattern: string): Expansion {
  const parts: (readonly string[])[] = [];
  let count = 1;
  let at = 0;
  for (const match of pattern.matchAll(/\[([^\]]*)\]/g)) {
    const end = match.index + match[0].length;
    const stray = strayBracket(pattern.slice(at, match.index), at);
    if (stray) return stray;
    const members = membersOf(match[1] ?? '', maximumNames);
    if ('message' in members) return { ...members, start: match.index, end };
    count *= members.names.length;
    if (count > maximumNames) return { ...tooMany(), start: match.index, end };
    parts.push([pattern.slice(at, match.index)], members.names);
    at = end;
  }
  const stray = strayBracket(pattern.slice(at), at);
  if (stray) return stray;
  parts.push([pattern.slice(at)]);
  return { names: combine(parts) };
}

function strayBracket(text: string, offset: number): Expansion | undefined {
  const at = text.search(/[[\]]/);
  if (at === -1) return undefined;
  return { message: 'a bracket without its partner', start: offset + at, end: offset + at + 1 };
}

type Problem = { readonly message: string; readonly hint?: string };

function membersOf(text: string, limit: number): { readonly names: readonly string[] } | Problem {
  const [begin = '', end = '', step = '1', ...more] = text.split(':');
  const hint = 'write [1:3], [01:10], [a:c] or, with a step, [0:10:2]';
  if (!text.includes(':') || more.length > 0) return { message: 'a range is begin:end or begin:end:step', hint };
  if (end === '') return { message: 'a range needs an end', hint };
  if (!/^[0-9]+$/.test(step) || Number(step) === 0)
    return { message: `the step of a range is a number above 0, not "${step}"` };
  if (/^[A-Za-z]$/.test(begin) && /^[A-Za-z]$/.test(end)) return letters(begin, end, Number(step));
  if (/^[0-9]*$/.test(begin) && /^[0-9]+$/.test(end)) return numbers(begin || '0', end, Number(step), limit);
  return { message: 'a range goes from a number to a number, or from a letter to a letter', hint };
}

function numbers(begin: string, end: string, step: number, limit: number): { names: string[] } | Problem {
  const isPadded = begin.length > 1 && begin.startsWith('0');
  if (isPadded && begin.length !== end.length) {
    return {
      message: 'a range with leading zeros needs a begin and an end of the same length',
      hint: `write [${begin}:${end.padStart(begin.length, '0')}]`,
    };
  }
  const [first, last] = [Number(begin), Number(end)];
  if (first > last) return { message: `the range ends at ${end}, before it begins at ${begin}` };
  if ((last - first) / step >= limit) return tooMany();
  const names: string[] = [];
  for (let n = first; n <= last; n += step) names.push(isPadded ? String(n).padStart(begin.length, '0') : String(n));
  return { names };
}

function letters(begin: string, end: string, step: number): { names: string[] } | Problem {
  // Python's string.ascii_letters, which Ansible counts in: capitals come after the small letters.
  const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  const [first, last] = [alphabet.indexOf(begin), alphabet.indexOf(end)];
  if (first > last) return { message: `the range ends at ${end}, before it begins at ${begin}` };
  return { names: [...alphabet].slice(first, last + 1).filter((_, i) => i % step === 0) };
}

function tooMany(): Problem {
  return { message: `the name stands for more than ${maximumNames.toLocaleString('en')} hosts` };
}

function combine(parts: readonly (readonly string[])[]): readonly string[] {
  return parts.reduce<readonly string[]>(
    (heads, tails) => heads.flatMap((head) => tails.map((tail) => head + tail)),
    [''],
  );
}

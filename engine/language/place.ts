import type { Range } from '../base/source.ts';

/** Says where a stretch of a text (offsets in its value) stands in its source. */
export type Place = (start: number, end: number) => Range;

/**
 * The places of a text that was read from a scalar with this range: exact for plain, quoted and block scalars, else the
 * whole scalar. Works lazily: only errors need it.
 */
export function placeInScalar(range: Range, value: string): Place {
  let offsets: readonly number[] | undefined;
  return (start, end) => {
    offsets ??= align(range.source.text.slice(range.start, range.end), value);
    // Past the last character (an unexpected end) is just behind it.
    const first = start < value.length ? offsets[start] : (offsets[value.length - 1] ?? -1) + 1;
    if (first === undefined || offsets.length === 0) return range;
    const last = offsets[Math.min(end, value.length) - 1] ?? first;
    return { source: range.source, start: range.start + first, end: range.start + Math.max(first, last) + 1 };
  };
}

const simpleEscapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', '"': '"', '\\': '\\', '/': '/', ' ': ' ' };

/** For every character of the value its offset in the raw scalar; empty when they cannot be told apart. */
function align(raw: string, value: string): readonly number[] {
  if (raw === value) return [...value].length === value.length ? Array.from(value, (_, i) => i) : units(value);
  const style = raw[0];
  const offsets: number[] = [];
  let at = style === '"' || style === "'" ? 1 : 0;
  if (style === '|' || style === '>') at = raw.indexOf('\n') + 1;
  for (let i = 0; i < value.length; ) {
    const wanted = value.charAt(i);
    const found = raw.charAt(at);
    if (found === '') return /^\s*$/.test(value.slice(i)) ? offsets : [];
    if (style === '"' && found === '\\') {
      const escaped = raw.charAt(at + 1);
      if (escaped !== '\n') {
        if (simpleEscapes[escaped] !== wanted) return [];
        offsets[i++] = at;
      }
      at += 2;
    } else if (found === wanted || (isSpace(found) && isSpace(wanted))) {
      offsets[i++] = at;
      at += style === "'" && found === "'" ? 2 : 1;
    } else if (isSpace(found)) at++;
    else return [];
  }
  return offsets;
}

function units(value: string): number[] {
  return Array.from({ length: value.length }, (_, i) => i);
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\n' || char === '\t' || char === '\r';
}

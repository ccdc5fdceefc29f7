import type { Range } from '../base/source.ts';
import type { Reference } from './value.ts';

/** Says where a stretch of a text (offsets in its value) stands in its source. */
export type Place = (start: number, end: number) => Range;

/**
 * The places of a text that was read from a scalar with this range: exact for plain, quoted and block scalars, else the
 * whole scalar. Works lazily: only errors need it.
 */
export function placeInScalar(range: Range, value: string): Place {
  let offsets: readonly number[] | 'same' | undefined;
  return (start, end) => {
    offsets ??= align(range.source.text.slice(range.start, range.end), value);
    if (offsets === 'same') return inPlainText(range, value, start, end);
    // Past the last character (an unexpected end) is just behind it.
    const first = start < value.length ? offsets[start] : (offsets[value.length - 1] ?? -1) + 1;
    if (first === undefined || offsets.length === 0) return range;
    const last = offsets[Math.min(end, value.length) - 1] ?? first;
    return { source: range.source, start: range.start + first, end: range.start + Math.max(first, last) + 1 };
  };
}

/** A name that is read at a stretch of a text; its place is worked out when somebody asks for it. */
export function referenceAt(
  place: Place,
  { path, start, end }: { readonly path: readonly string[]; readonly start: number; readonly end: number },
): Reference {
  let range: Range | undefined;
  return {
    path,
    get range() {
      return (range ??= place(start, end));
    },
  };
}

function inPlainText({ source, start: from }: Range, { length }: string, start: number, end: number): Range {
  const first = Math.min(start, length);
  return { source, start: from + first, end: from + Math.max(first + 1, Math.min(end, length)) };
}

const simpleEscapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', '"': '"', '\\': '\\', '/': '/', ' ': ' ' };

/** For every character of the value its offset in the raw scalar; empty when they cannot be told apart. */
function align(raw: string, value: string): readonly number[] | 'same' {
  if (raw === value) return 'same';
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

function isSpace(char: string): boolean {
  return char === ' ' || char === '\n' || char === '\t' || char === '\r';
}

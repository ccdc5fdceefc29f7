/** One word of a command line as a POSIX shell splits it. */
export interface Word {
  /** As written, quotes included. */
  readonly raw: string;
  /** Without quotes and backslashes. */
  readonly value: string;
  /** The white space before it. */
  readonly space: string;
  /** True when a part of it is quoted or escaped, so that no character in it means anything but itself. */
  readonly isQuoted: boolean;
}

/** The words of a command line, or where a quote is left open. */
export type Words = readonly Word[] | { readonly mistake: string };

/**
 * Splits text into words by the quoting rules of a POSIX shell. Nothing is expanded: `$`, `*` and `~` stay as they are.
 */
export function splitWords(text: string): Words {
  const words: Word[] = [];
  let at = 0;
  while (at < text.length) {
    const space = /^\s*/.exec(text.slice(at))?.[0] ?? '';
    at += space.length;
    if (at >= text.length) break;
    const word = readWord(text, at);
    if ('mistake' in word) return word;
    words.push({ space, raw: text.slice(at, word.end), value: word.value, isQuoted: word.isQuoted });
    at = word.end;
  }
  return words;
}

function readWord(
  text: string,
  start: number,
): { value: string; end: number; isQuoted: boolean } | { mistake: string } {
  let value = '';
  let isQuoted = false;
  let at = start;
  while (at < text.length && !/\s/.test(text.charAt(at))) {
    const part = readPart(text, at);
    if (part === undefined) return { mistake: `the quote ${text.charAt(at)} at character ${at + 1} is never closed` };
    value += part.value;
    isQuoted ||= part.isQuoted;
    at = part.end;
  }
  return { value, end: at, isQuoted };
}

/** A quoted part, an escaped character or a plain one; undefined when a quote is left open. */
function readPart(text: string, at: number): { value: string; end: number; isQuoted: boolean } | undefined {
  const first = text.charAt(at);
  if (first === "'") {
    const end = text.indexOf("'", at + 1);
    return end < 0 ? undefined : { value: text.slice(at + 1, end), end: end + 1, isQuoted: true };
  }
  if (first === '"') {
    const quoted = /^"((?:[^"\\]|\\[^])*)"/.exec(text.slice(at));
    if (!quoted) return undefined;
    // Inside double quotes a backslash escapes these only, and joins lines.
    const value = (quoted[1] ?? '').replace(/\\([$`"\\\n])/g, (_, c: string) => (c === '\n' ? '' : c));
    return { value, end: at + quoted[0].length, isQuoted: true };
  }
  if (first === '\\' && at + 1 < text.length) {
    const escaped = text.charAt(at + 1);
    return { value: escaped === '\n' ? '' : escaped, end: at + 2, isQuoted: escaped !== '\n' };
  }
  return { value: first, end: at + 1, isQuoted: false };
}

import { isAddressWithColons } from './address.ts';

/** One term of a host pattern, with its place in the pattern. */
export interface Term {
  /** `add` for a plain term, `keep` for `&term`, `remove` for `!term`. */
  readonly kind: 'add' | 'keep' | 'remove';
  /** The term as it stands there. */
  readonly text: string;
  /** What it names: a host, a group, a glob, or `~` and a regular expression. */
  readonly name: string;
  readonly subscript?: Subscript;
  /** What to try when it names nothing. */
  readonly hint?: string;
  readonly start: number;
  readonly end: number;
}

/** `[2]`, `[-1]`, `[0:2]` (both included), `[1:]` after a name; `-` instead of `:` is a mistake that is told apart. */
export interface Subscript {
  readonly text: string;
  readonly first: number;
  /** Absent: one host only; undefined in a slice means to the end. */
  readonly slice?: { readonly last: number | undefined };
  readonly hasDash: boolean;
}

/**
 * Splits a host pattern as Ansible does: at commas if there is one, else at colons outside brackets, unless the whole is
 * one IPv6 address.
 */
export function splitPattern(pattern: string, isHost: (name: string) => boolean): readonly Term[] {
  if (pattern.includes(',')) return [...pattern.matchAll(/[^,]+/g)].flatMap(termOf);
  const whole = pattern.trim().replace(/^[!&]/, '');
  const named = withoutSubscript(whole);
  if (isHost(whole) || isHost(named) || isAddressWithColons(named))
    return [...pattern.matchAll(/.+/gs)].flatMap(termOf);
  const terms = [...pattern.matchAll(/(?:[^\s:[\]]|\[[^\]]*\]|\[|\])+/g)].flatMap(termOf);
  const hint = 'separate terms by commas where one of them is an IPv6 address';
  return pattern.includes('::') ? terms.map((term) => ({ ...term, hint })) : terms;
}

function withoutSubscript(text: string): string {
  return text.replace(/\[[-0-9:]*\]$/, '');
}

function termOf(match: RegExpExecArray): Term[] {
  const text = match[0].trim();
  if (text === '') return [];
  const start = match.index + match[0].indexOf(text);
  const kind = text.startsWith('&') ? 'keep' : text.startsWith('!') ? 'remove' : 'add';
  const whole = kind === 'add' ? text : text.slice(1).trim();
  const place = { kind, text, start, end: start + text.length } as const;
  const indexed = whole.startsWith('~') ? null : /^(.+)\[(?:(-?[0-9]+)|([0-9]+)([:-])([0-9]*))\]$/s.exec(whole);
  if (!indexed) return [{ ...place, name: whole }];
  const [, name = '', single, first = '', separator, last] = indexed;
  const subscript =
    single !== undefined
      ? { first: Number(single) }
      : { first: Number(first), slice: { last: last ? Number(last) : undefined } };
  const written = whole.slice(name.length);
  return [{ ...place, name, subscript: { ...subscript, text: written, hasDash: separator === '-' } }];
}

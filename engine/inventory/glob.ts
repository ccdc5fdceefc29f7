type Part = { readonly kind: 'any' } | { readonly kind: 'one'; readonly matches: (char: string) => boolean };

/**
 * Compiles a pattern of `*`, `?`, `[seq]` and `[!seq]` as Python's `fnmatch` understands it: case counts and `*` crosses
 * dots. The matcher takes at most length × length steps, whatever the pattern.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  const parts = parseParts(pattern);
  return (text) => matches(parts, [...text]);
}

function matches(parts: readonly Part[], chars: readonly string[]): boolean {
  let part = 0;
  // Where to go on when a match fails: the last `*` takes one character more.
  let star = -1;
  let starAt = 0;
  for (let at = 0; at < chars.length; ) {
    const current = parts[part];
    if (current?.kind === 'any') {
      star = part++;
      starAt = at;
    } else if (current?.matches(chars[at] ?? '')) {
      part++;
      at++;
    } else if (star !== -1) {
      part = star + 1;
      at = ++starAt;
    } else return false;
  }
  return parts.slice(part).every((rest) => rest.kind === 'any');
}

function parseParts(pattern: string): Part[] {
  const parts: Part[] = [];
  // A bracket right after the opening one is a member, and one without a partner stands for itself.
  for (const [token] of pattern.matchAll(/\*+|\?|\[!?\]?[^\]]*\]|[^]/gu)) {
    if (token.startsWith('*')) parts.push({ kind: 'any' });
    else if (token === '?') parts.push({ kind: 'one', matches: () => true });
    else if (token.length > 2 && token.startsWith('['))
      parts.push({ kind: 'one', matches: memberOf(token.slice(1, -1)) });
    else parts.push({ kind: 'one', matches: (char) => char === token });
  }
  return parts;
}

function memberOf(set: string): (char: string) => boolean {
  const isNegated = set.startsWith('!') && set.length > 1;
  const chars = [...(isNegated ? set.slice(1) : set)];
  const ranges: [string, string][] = [];
  for (let i = 0; i < chars.length; i++) {
    const first = chars[i] ?? '';
    const last = chars[i + 2];
    if (chars[i + 1] === '-' && last !== undefined) {
      ranges.push([first, last]);
      i += 2;
    } else ranges.push([first, first]);
  }
  return (char) => ranges.some(([first, last]) => first <= char && char <= last) !== isNegated;
}

/** What to write instead, where an expression looks like another language. */
export function syntaxHint(text: string, code: string): string | undefined {
  if (code !== 'unexpected_character' && code !== 'unexpected_token' && code !== 'expected_token') return undefined;
  if (/\{%/.test(text)) return 'that is Jinja: a condition is one expression, such as x == "y" && z > 1';
  if (/\bis\s+(not\s+)?defined\b/.test(text)) {
    return 'has(x.y) asks for a member; a variable of its own gets a default in vars or group_vars/all';
  }
  const result = /\bis\s+(not\s+)?(failed|changed|skipped|success|succeeded)\b/.exec(text)?.[2];
  if (result !== undefined) return `a result has members: x.${result.startsWith('succ') ? 'failed' : result}`;
  if (/\w\.\d/.test(text)) return 'an item of a list is written x[0]';
  if (/(^|[^|])\|([^|]|$)/.test(text)) return 'there are no filters; or is written ||';
  if (/\b(and|or|not)\b/.test(text)) return 'write && for and, || for or, ! for not';
  if (/[^=!<>]=[^=]|===/.test(text)) return 'compare with ==';
  return undefined;
}

/** What to do about types that do not fit. */
export function typeHint(summary: string): string | undefined {
  if (summary.startsWith('has() invalid argument')) {
    return 'has(x.y) asks for a member; a variable of its own gets a default in group_vars/all';
  }
  if (/version(AtLeast|Compare)\(.*double/.test(summary)) {
    return 'a version must be a text: put it in quotes where it is defined';
  }
  if (/'len\(/.test(summary)) return 'the length of a text, a list or a map is size(x)';
  if (/\.beginsWith\(/.test(summary)) return 'did you mean "startsWith"?';
  if (/Secret/.test(summary)) return 'a secret is a text here: int(…) gives its number';
  if (/no such overload: .*(string.*(double|int)|(double|int).*string)/.test(summary)) {
    return 'turn one into the other with double(…) or string(…)';
  }
  if (/bool operands|condition must be bool|predicate must return bool/.test(summary)) {
    return 'compare it: x == "y", x > 0, x != null';
  }
  return undefined;
}

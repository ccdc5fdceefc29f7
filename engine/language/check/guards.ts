/**
 * The paths that texts ask for before they read them: by `has(x.y)`, `x.?y` and `"y" in x` in expressions, by `{{#if x.y}}`,
 * `default` and `defined` in templates. Their being absent is provided for.
 */
export function guardedPaths(texts: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const text of texts) {
    for (const [, path = ''] of text.matchAll(/\bhas\(\s*([\w.]+)\s*\)/g)) found.add(path);
    for (const [, owner = '', key = ''] of text.matchAll(/([\w.]+)\.\?(\w+)/g)) found.add(`${owner}.${key}`);
    for (const [, key = '', owner = ''] of text.matchAll(/["']([^"']+)["']\s+in\s+([\w.]+)/g))
      found.add(`${owner}.${key}`);
    if (!text.includes('{{')) continue;
    for (const [, path = ''] of text.matchAll(/\b(?:if|unless|default|defined)\s+([\w.]+)/g)) found.add(path);
  }
  return found;
}

/** All texts in data as it is written. */
export function* textsIn(written: unknown): Generator<string> {
  if (typeof written === 'string') yield written;
  else if (Array.isArray(written)) for (const item of written) yield* textsIn(item);
  else if (typeof written === 'object' && written !== null)
    for (const item of Object.values(written)) yield* textsIn(item);
}

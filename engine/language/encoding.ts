import type { Diagnostic } from '../base/diagnostic.ts';
import type { Source } from '../base/source.ts';

/** Finds what was not UTF-8 in a file: reading it left U+FFFD there, which would end up in files on hosts. */
export function foreignBytes(source: Source): Diagnostic | undefined {
  const start = source.text.indexOf('\uFFFD');
  if (start === -1) return undefined;
  const range = { source, start, end: start + 1 };
  return { severity: 'error', message: 'this is not UTF-8', hint: 'save the file as UTF-8', range };
}

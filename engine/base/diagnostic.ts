import { distance } from 'fastest-levenshtein';
import { RunbookError } from './errors.ts';
import { excerpt, formatRange, positionAt, type Range } from './source.ts';

/** A mistake (or a doubt) in something that a user wrote. All diagnostics of a stage are reported together. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** The kind of mistake, for tools that sort and count them: `undefined-name`. Those of the language itself have none. */
  readonly rule?: string;
  /** One sentence without a full stop: what is wrong, in the user's words. */
  readonly message: string;
  /** What to do about it, where that is known: `did you mean "state"?`. */
  readonly hint?: string;
  /** Where it stands; absent only for mistakes on the command line. */
  readonly range?: Range;
}

/** Prints a diagnostic as `file:line:column: error: message`, the excerpt with a caret, and the hint. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const place = diagnostic.range ? `${formatRange(diagnostic.range)}: ` : '';
  const lines = [`${place}${diagnostic.severity}: ${diagnostic.message}`];
  if (diagnostic.range) lines.push(indent(excerpt(diagnostic.range)));
  if (diagnostic.hint) lines.push(`  hint: ${diagnostic.hint}`);
  return lines.join('\n');
}

/** Sorts by file, then by place, so that a user can go through a file from top to bottom. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...diagnostics].sort((a, b) => {
    const byFile = (a.range?.source.path ?? '').localeCompare(b.range?.source.path ?? '');
    return byFile !== 0 ? byFile : (a.range?.start ?? 0) - (b.range?.start ?? 0);
  });
}

/** Thrown at the end of a stage that found mistakes; carries all of them. Exit code 5: nothing was contacted. */
export class DiagnosticsError extends RunbookError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    const sorted = sortDiagnostics(diagnostics);
    super('invalid-input', sorted.map(formatDiagnostic).join('\n\n'));
    this.diagnostics = sorted;
  }
}

/** Throws a {@link DiagnosticsError} when at least one diagnostic is an error; warnings alone pass. */
export function throwOnErrors(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.some((d) => d.severity === 'error')) throw new DiagnosticsError(diagnostics);
}

/** The hint `did you mean "x"?` for the nearest known word, or undefined when none is near enough to be helpful. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  // A third of the letters may differ, but never all of them.
  let bestDistance = Math.min(Math.max(1, Math.floor(word.length / 3)) + 1, word.length);
  for (const candidate of known) {
    // A shortened word ("start" for "started", "msg" for "message") and two swapped letters are as near as one wrong letter.
    const isNear = isShortenedFrom(word, candidate) || hasSwappedLetters(word, candidate);
    // Of several the shortest is the nearest.
    const d = isNear ? 1 + candidate.length / 1000 : distance(word.toLowerCase(), candidate.toLowerCase());
    if (d < bestDistance) {
      best = candidate;
      bestDistance = d;
    }
  }
  return best === undefined ? undefined : `did you mean "${best}"?`;
}

/** Whether a word of three letters or more is a candidate's beginning, or its first letter and enough of the others. */
function isShortenedFrom(word: string, candidate: string): boolean {
  if (word.length < 3 || word[0] !== candidate[0]) return false;
  if (candidate.startsWith(word)) return true;
  if (candidate.length > word.length * 2.5) return false;
  let at = -1;
  return [...word].every((letter) => (at = candidate.indexOf(letter, at + 1)) !== -1);
}

function hasSwappedLetters(word: string, candidate: string): boolean {
  if (word.length !== candidate.length) return false;
  const at = [...word].findIndex((letter, i) => letter !== candidate[i]);
  const swapped = `${word.slice(0, at)}${word[at + 1]}${word[at]}${word.slice(at + 2)}`;
  return at !== -1 && swapped === candidate;
}

/** A diagnostic as plain data, for `--output json`: 1-based line and column, no excerpt. */
export function diagnosticToJson(diagnostic: Diagnostic): Record<string, unknown> {
  const { severity, rule, message, hint, range } = diagnostic;
  const position = range && positionAt(range.source, range.start);
  return {
    severity,
    ...(rule && { rule }),
    message,
    ...(hint && { hint }),
    ...(range && { file: range.source.path, ...position }),
  };
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}

/** A text that a user wrote, kept so that every error can show its place. */
export interface Source {
  /** The path as the user would type it: relative to the working directory where that is shorter. */
  readonly path: string;
  readonly text: string;
  /** The text stood encrypted in the file: no line of it is ever shown. */
  readonly isSecret?: boolean;
}

/** A half-open range of character offsets (UTF-16 units) in a source. */
export interface Range {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** A place for people: 1-based line and column. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Finds the 1-based line and column of an offset; an offset past the end is the end. */
export function positionAt(source: Source, offset: number): Position {
  const before = source.text.slice(0, Math.max(0, offset));
  const lastBreak = before.lastIndexOf('\n');
  let line = 1;
  for (let i = before.indexOf('\n'); i !== -1; i = before.indexOf('\n', i + 1)) line++;
  return { line, column: before.length - lastBreak };
}

/** Writes a range as `file:line:column`, which editors and terminals turn into a link. */
export function formatRange(range: Range): string {
  const { line, column } = positionAt(range.source, range.start);
  return `${range.source.path}:${line}:${column}`;
}

/** The line that a range starts on, with a caret line under the range. Tabs are kept so that the caret stays aligned. */
export function excerpt(range: Range): string {
  const { line, column } = positionAt(range.source, range.start);
  if (range.source.isSecret) return `${line} | (encrypted: not shown)`;
  const whole = range.source.text.split('\n', line)[line - 1]?.replace(/\r$/, '') ?? '';
  const { text, cut } = windowAround(whole, column - 1);
  const width = Math.max(1, Math.min(range.end - range.start, text.length - (column - 1 - cut)));
  const gutter = `${line} | `;
  const indent = text.slice(0, column - 1 - cut).replace(/[^\t]/g, ' ');
  return `${gutter}${text}\n${' '.repeat(gutter.length)}${indent}${'^'.repeat(width)}`;
}

/** Programs print lines that no screen can hold: of such the surroundings are shown. */
function windowAround(line: string, at: number): { readonly text: string; readonly cut: number } {
  if (line.length <= 300) return { text: line, cut: 0 };
  const cut = Math.max(0, Math.min(at - 80, line.length - 160));
  return { text: line.slice(cut, cut + 160), cut };
}

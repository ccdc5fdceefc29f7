import { structuredPatch } from 'diff';
import type { ChangeView } from '../base/events.ts';
import type { Paint } from './paint.ts';
import { count, truncate } from './text.ts';

/** Longer diffs are cut: a terminal is no place for a thousand lines. */
const maxLines = 60;
// A diff is made while the run waits; these bounds keep two large unrelated files from stalling every connection.
const effort = { timeout: 250, maxEditLength: 4000 } as const;

/** A change for people: a unified diff for texts of several lines, `path: before → after` for the rest. */
export function formatChange(change: ChangeView, paint: Paint): string {
  if (!isLongText(change)) {
    return `${change.path}: ${paint.red(showValue(change.before))} → ${paint.green(showValue(change.after))}`;
  }
  const lines = unifiedDiff(change);
  if (!lines) {
    return `${change.path}: ${lineCount(change.before)} → ${lineCount(change.after)}, too different to compare line by line`;
  }
  const shown = lines.slice(0, maxLines).map((line, i) => (i < 2 ? paint.bold(line) : paintLine(line, paint)));
  if (lines.length > maxLines) {
    const left = count(lines.length - maxLines, 'more line');
    shown.push(paint.dim(`… ${left}; --output ndjson shows all of it`));
  }
  return [`${change.path}:`, ...shown].join('\n');
}

/** A change in one word, for when no diff is asked for: its path. */
export function namePaths(changes: readonly ChangeView[]): string {
  const paths = [...new Set(changes.map((change) => change.path))];
  const some = paths.slice(0, 3).join(', ');
  return paths.length > 3 ? `${some} and ${paths.length - 3} more` : some;
}

/** A value on one line; texts that could be taken for something else are quoted. */
export function showValue(value: unknown): string {
  if (isAbsent(value)) return '(absent)';
  if (typeof value === 'string') return isPlain(value) ? truncate(value, 200) : truncate(JSON.stringify(value), 200);
  if (typeof value === 'bigint') return String(value);
  return truncate(JSON.stringify(value, (_key, v) => (typeof v === 'bigint' ? Number(v) : v)) ?? String(value), 200);
}

function isPlain(text: string): boolean {
  const isAmbiguous = text === String(Number(text)) || ['true', 'false', 'null', '(absent)'].includes(text);
  return text !== '' && text === text.trim() && !text.includes('\n') && !isAmbiguous;
}

/** Whether a change is shown as a unified diff: texts, one of which has several lines. */
export function isLongText({ before, after }: ChangeView): boolean {
  const isText = (value: unknown): boolean => isAbsent(value) || typeof value === 'string';
  return isText(before) && isText(after) && [before, after].some((v) => typeof v === 'string' && v.includes('\n'));
}

function isAbsent(value: unknown): boolean {
  return value === null || value === undefined;
}

/**
 * The lines of a unified diff, all of them, of two texts of which one may be absent; `undefined` where the texts are too
 * long and too different for one to be worked out.
 */
export function unifiedDiff({ before, after }: ChangeView): readonly string[] | undefined {
  // Both are strings or absent: isLongText saw to it.
  const patch = structuredPatch('', '', (before ?? '') as string, (after ?? '') as string, '', '', {
    context: 3,
    ...effort,
    // A new file, however long, needs no search.
    ...((before ?? '') === '' || (after ?? '') === '' ? { maxEditLength: Number.POSITIVE_INFINITY } : {}),
  });
  if (!patch) return undefined;
  const head = [`--- ${isAbsent(before) ? '(absent)' : 'before'}`, `+++ ${isAbsent(after) ? '(absent)' : 'after'}`];
  return [
    ...head,
    ...patch.hunks.flatMap((hunk) => [
      `@@ -${place(hunk.oldStart, hunk.oldLines)} +${place(hunk.newStart, hunk.newLines)} @@`,
      ...hunk.lines,
    ]),
  ];
}

/** An empty side is named by the line before it, as `diff -u` does. */
function place(start: number, lines: number): string {
  return `${lines === 0 ? start - 1 : start},${lines}`;
}

function paintLine(line: string, paint: Paint): string {
  if (line.startsWith('@@')) return paint.cyan(line);
  if (line.startsWith('+')) return paint.green(line);
  if (line.startsWith('-')) return paint.red(line);
  return line;
}

function lineCount(value: unknown): string {
  return typeof value === 'string' ? count(value.split('\n').length, 'line') : '(absent)';
}

import { structuredPatch } from 'diff';
import type { ChangeView } from '../base/events.ts';
import type { PlannedChange } from './plan.ts';

/** Two large texts that have little in common are not compared for longer than this, and not in more lines. */
const effort = { timeout: 250, maxEditLength: 4000 } as const;

/** A difference as a plan shows it. */
export function plannedChange({ path, before, after }: ChangeView): PlannedChange {
  const texts = [before, after].map((value) => (value === null || value === undefined ? '' : value));
  const [was, will] = texts;
  const isLong = texts.some((text) => typeof text === 'string' && text.includes('\n'));
  if (!isLong || typeof was !== 'string' || typeof will !== 'string') return { path, before, after };
  const diff = unifiedDiff(was, will);
  return diff === undefined ? { path, before: linesOf(was), after: linesOf(will) } : { path, diff };
}

/** A difference in a line, for people. */
export function changeInWords({ path, before, after }: ChangeView): string {
  return `${path}: ${inWords(before)} → ${inWords(after)}`;
}

/** A difference of a plan in a line. */
export function plannedInWords({ path, before, after, diff }: PlannedChange): string {
  if (diff === undefined) return changeInWords({ path, before, after });
  const count = (sign: string): number => diff.split('\n').filter((line) => line.startsWith(sign)).length;
  return `${path}: ${count('+')} lines in, ${count('-')} lines out`;
}

function inWords(value: unknown): string {
  if (value === null || value === undefined) return '(absent)';
  if (typeof value === 'string' && value.includes('\n')) return linesOf(value);
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

function linesOf(text: string): string {
  return text === '' ? '(empty)' : `(a text of ${text.replace(/\n$/, '').split('\n').length} lines)`;
}

function unifiedDiff(before: string, after: string): string | undefined {
  const patch = structuredPatch('', '', before, after, '', '', { context: 3, ...effort });
  return patch?.hunks
    .map(({ oldStart, oldLines, newStart, newLines, lines }) =>
      [`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`, ...lines].join('\n'),
    )
    .join('\n');
}

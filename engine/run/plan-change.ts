import { structuredPatch } from 'diff';
import type { ChangeView } from '../base/events.ts';
import type { PlannedChange } from './plan.ts';

/** Two large texts that have little in common are not compared for longer than this, and not in more lines. */
const effort = { timeout: 250, maxEditLength: 4000 } as const;

/** Who is told that two changes are not the same wants to see in what. */
const shownDiffLines = 12;

/** A difference as a plan shows it. */
export function plannedChange({ path, before, after }: ChangeView): PlannedChange {
  const texts = [before, after].map((value) => (value === null || value === undefined ? '' : value));
  const [was, will] = texts;
  const isLong = texts.some((text) => typeof text === 'string' && text.includes('\n'));
  if (!isLong || typeof was !== 'string' || typeof will !== 'string') return { path, before, after };
  const diff = unifiedDiff(was, will);
  return diff === undefined ? { path, before: linesOf(was), after: linesOf(will) } : { path, diff };
}

function changeInWords({ path, before, after }: ChangeView): string {
  return `${path}: ${inWords(before)} → ${inWords(after)}`;
}

/** Differences of a plan, in a line where none of them is of a text of several lines; of a long text how long it is. */
export function plannedInWords(changes: readonly PlannedChange[]): string {
  const told = changes.map(({ path, before, after, diff }) => {
    if (diff === undefined) return changeInWords({ path, before, after });
    const lines = diff.split('\n');
    const count = (sign: string): number => lines.filter((line) => line.startsWith(sign)).length;
    if (lines.length > shownDiffLines) return `${path}: lines added: ${count('+')}, lines removed: ${count('-')}`;
    return [`${path}:`, ...lines].join('\n  ');
  });
  if (!told.some((text) => text.includes('\n'))) return told.join('; ');
  return told.map((text) => `\n  ${text.replaceAll('\n', '\n  ')}`).join('');
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

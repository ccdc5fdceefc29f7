import { type Diagnostic, diagnosticToJson, formatDiagnostic } from '../base/diagnostic.ts';
import { readVersion } from '../base/version.ts';
import { createPaint } from '../report/paint.ts';
import { visible } from '../report/text.ts';
import { toSarif } from './sarif.ts';

export type LintFormat = 'text' | 'json' | 'sarif';

/** What was found, as it is printed. */
export function formatFindings(found: readonly Diagnostic[], format: LintFormat, isColored: boolean): string {
  const count = (severity: Diagnostic['severity']): number => found.filter((d) => d.severity === severity).length;
  const errors = count('error');
  const warnings = count('warning');
  if (format === 'sarif') return toJson(toSarif(found, readVersion()));
  if (format === 'json') return toJson({ errors, warnings, findings: found.map(diagnosticToJson) });
  const paint = createPaint(isColored);
  const color = errors > 0 ? paint.red : warnings > 0 ? paint.yellow : paint.green;
  const texts = found.map((diagnostic) => `${visible(formatDiagnostic(diagnostic))}\n\n`);
  return `${texts.join('')}${color(totals(errors, warnings))}\n`;
}

function totals(errors: number, warnings: number): string {
  if (errors + warnings === 0) return 'nothing is wrong';
  const count = (n: number, word: string): string => `${n === 0 ? 'no' : n} ${word}${n === 1 ? '' : 's'}`;
  return `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
}

function toJson(data: unknown): string {
  return `${JSON.stringify(data, undefined, 2)}\n`;
}

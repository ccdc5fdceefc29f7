import type { Value } from '../value.ts';
import type { Findings } from './findings.ts';

/** Doubts a variable whose value is a bare `yes`, `no`, `on` or `off`: in YAML 1.2 that is a text. */
export function checkWords(findings: Findings, name: string, value: Value): void {
  for (const part of value.parts ?? []) checkWords(findings, name, part);
  const { written, range } = value;
  if (typeof written !== 'string' || !/^(yes|no|on|off)$/i.test(written)) return;
  // In quotes a text is meant.
  if (range.source.text.slice(range.start, range.end) !== written) return;
  const truth = /^(yes|on)$/i.test(written);
  const message = `${written} is a text here: YAML 1.2 has only true and false`;
  findings.add(
    'warning',
    'yes-or-no',
    range,
    message,
    `write ${truth}, or "${written}" in quotes if the text is meant`,
  );
}

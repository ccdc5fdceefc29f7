import type { Range } from '../../base/source.ts';
import type { Value } from '../value.ts';
import type { Findings } from './findings.ts';

const statement = /\{%-?\s*(if|elif|else|endif|for|endfor|set|include|macro|block|raw)\b.*?%\}/;

/** Doubts statements of Jinja in a text: they would be written out as they stand. */
export function checkJinja(findings: Findings, value: Value): void {
  for (const part of value.parts ?? []) checkJinja(findings, part);
  if (typeof value.written === 'string' && value.written.includes('{%')) checkJinjaText(findings, value.range);
}

/** As {@link checkJinja}, for a stretch of a source. */
export function checkJinjaText(findings: Findings, { source, start, end }: Range): void {
  const found = statement.exec(source.text.slice(start, end));
  if (!found) return;
  const at = { source, start: start + found.index, end: start + found.index + found[0].length };
  const message = `${found[0]} is Jinja, and nothing but text here`;
  findings.add('warning', 'jinja', at, message, 'write {{#if x}} … {{else}} … {{/if}}, {{#each list}} … {{/each}}');
}

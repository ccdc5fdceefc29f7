import { keywordExamples } from '../language/keyword-examples.ts';
import { formOf, placesOf } from '../language/keyword-forms.ts';
import type { Keyword } from '../language/keywords.ts';
import { indent } from '../report/text.ts';
import { type DocStyle, wrap } from './module-doc.ts';

/** A keyword's page: what it means, what it takes, where it stands, how Ansible differs, how it is written. */
export function keywordDoc(keyword: Keyword, { paint, columns }: DocStyle): string {
  const { name, summary, differs } = keyword;
  const example = keywordExamples[name];
  const facts = [`takes ${formOf(keyword).replaceAll('`', '')}`, `stands ${placesOf(keyword)}`];
  const sections = [
    `${paint.bold(name)}: a keyword\n${facts.map((fact) => paint.dim(wrap(fact, columns, 0))).join('\n')}`,
    wrap(summary, columns, 0),
    ...(differs === undefined ? [] : [`${paint.bold('Differs from Ansible')}\n${wrap(differs, columns, 2)}`]),
    ...(example === undefined ? [] : [`${paint.bold('Example')}\n${indent(example.trim(), 2)}`]),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** The same as data. */
export function keywordJson(keyword: Keyword): string {
  return `${JSON.stringify({ ...keyword, example: keywordExamples[keyword.name]?.trim() }, undefined, 2)}\n`;
}

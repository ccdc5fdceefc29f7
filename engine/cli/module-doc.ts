import type { ModuleDefinition } from '../module/contract.ts';
import { loneArgumentOf } from '../module/lone-argument.ts';
import type { Schema } from '../module/schema.ts';
import type { Paint } from '../report/paint.ts';
import { indent, visible } from '../report/text.ts';

/** What a page is written with. */
export interface DocStyle {
  readonly paint: Paint;
  readonly columns: number;
}

const kinds = {
  resource: 'resource: brings something on the host into a state',
  action: 'action: computes, checks or waits; changes no host, runs in check mode too',
  lease: 'lease: held around a block and given back; used as `lease:` of a block',
} as const;

/** A module's page: summary, description, arguments, examples. */
export function moduleDoc(module: ModuleDefinition, origin: string, style: DocStyle): string {
  const { paint } = style;
  const parts = [
    `${paint.bold(module.name)}: ${visible(module.summary)}`,
    paint.dim(`${kinds[module.kind]} (${origin})`),
  ];
  const sections = [parts.join('\n')];
  if (module.description) sections.push(visible(module.description.trim()));
  const args = argumentLines(module.schema, style, 2);
  sections.push(
    [paint.bold('Arguments'), ...(args.length > 0 ? args : [`  ${visible(module.schema.description ?? 'none')}`])].join(
      '\n',
    ),
  );
  const lone = loneArgumentOf(module);
  if (lone !== undefined) sections.push(`A lone text is ${paint.cyan(lone)}: "${module.name}: …".`);
  const returned = argumentLines({ properties: module.returns ?? {} }, style, 2);
  if (returned.length > 0) sections.push([paint.bold('Results, for register'), ...returned].join('\n'));
  const invalidated = invalidatedBy(module);
  if (invalidated.length > 0) {
    const text = `A change makes these facts be gathered anew when they are read next: ${invalidated.join(', ')}.`;
    sections.push(`${paint.bold('Facts')}\n${wrap(text, style.columns, 2)}`);
  }
  if (module.examples) sections.push(`${paint.bold('Examples')}\n${indent(visible(module.examples.trim()), 2)}`);
  return `${sections.join('\n\n')}\n`;
}

/** The same as data. */
export function moduleJson(module: ModuleDefinition, origin: string): string {
  const { name, kind, summary, description, schema, returns, examples } = module;
  const invalidates = invalidatedBy(module);
  return `${JSON.stringify({ name, kind, summary, description, schema, returns, examples, invalidates, origin }, undefined, 2)}\n`;
}

function invalidatedBy(module: ModuleDefinition): readonly string[] {
  return module.kind === 'resource' ? (module.invalidates ?? []) : [];
}

function argumentLines(schema: Schema, style: DocStyle, by: number): string[] {
  const { paint } = style;
  const lines: string[] = [];
  for (const [name, argument] of Object.entries(schema.properties ?? {})) {
    const facts = [typeName(argument)];
    if (schema.required?.includes(name)) facts.push(paint.yellow('required'));
    if (argument.default !== undefined) facts.push(`default ${JSON.stringify(argument.default)}`);
    lines.push(`${' '.repeat(by)}${paint.cyan(name)}  ${facts.join(', ')}`);
    if (argument.description) lines.push(wrap(visible(argument.description), style.columns, by + 4));
    const inner = argument.properties ? argument : mapInside(argument);
    if (inner) lines.push(...argumentLines(inner, style, by + 4));
  }
  return lines;
}

/** The map that a list is made of, or that is one of several forms. */
function mapInside(schema: Schema): Schema | undefined {
  const candidates = [schema.items, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  for (const candidate of candidates) {
    if (candidate?.properties) return candidate;
    if (candidate?.items?.properties) return candidate.items;
  }
  return undefined;
}

/** A schema's type for people: `string`, `list of strings`, `started | stopped`. */
export function typeName(schema: Schema): string {
  if (schema.format === 'expression') return 'expression (CEL)';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map(String).join(' | ');
  const choice = schema.oneOf ?? schema.anyOf;
  if (choice) return [...new Set(choice.map(typeName))].join(' or ');
  switch (schema.type) {
    case 'array':
      return schema.items ? `list of ${typeName(schema.items)}` : 'list';
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? `map of ${typeName(schema.additionalProperties)}`
        : 'map';
    case undefined:
      return 'any';
    default:
      return schema.type;
  }
}

/** A text in lines of the terminal's width, `by` spaces in. */
export function wrap(text: string, columns: number, by: number): string {
  const width = Math.max(30, Math.min(columns, 110) - by);
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return indent(lines.join('\n'), by);
}

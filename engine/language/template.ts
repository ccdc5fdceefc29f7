import { type Diagnostic, DiagnosticsError, didYouMean } from '../base/diagnostic.ts';
import type { Secret } from '../base/secret.ts';
import type { Range, Source } from '../base/source.ts';
import type { CompileCache, CompiledTemplate } from './compile-cache.ts';
import { foreignBytes } from './encoding.ts';
import { type Place, placeInScalar, referenceAt } from './place.ts';
import { factsHint } from './references.ts';
import {
  createStrictHandlebars,
  type Location,
  type Taint,
  TemplateFailure,
  type ValueBox,
} from './template/strict-handlebars.ts';
import { parseTemplate } from './template/syntax.ts';
import type { Reference, Scope, Value } from './value.ts';

/** A template file, compiled once. */
export interface Template {
  readonly references: readonly Reference[];
  /**
   * The text; a secret when a secret went into it. Raises as {@link Value.render} does, with the template's own file, line
   * and column.
   */
  render(scope: Scope): string | Secret;
}

// One for the process, never changed after it is made: caches and templates are passed in.
const compileTree = createStrictHandlebars();

/** Compiles a whole file. Raises a DiagnosticsError with all mistakes that can be seen without variables. */
export function compileTemplate(source: Source): Template {
  const foreign = foreignBytes(source);
  if (foreign) throw new DiagnosticsError([foreign]);
  const place: Place = (start, end) => ({ source, start, end: Math.max(end, start + 1) });
  const template = compileChecked(source.text, place, 'file');
  return {
    references: referencesOf(template, place),
    render: (scope) => run(template, place, scope, (taint) => template.render(scope, taint)),
  };
}

/** Compiles a text of a playbook or an inventory: a lone `{{ x }}` keeps the type of its value, anything else is text. */
export function compileText(text: string, range: Range, cache: CompileCache): Value {
  if (!text.includes('{{')) return { range, isLiteral: true, references: [], written: text, render: () => text };
  const place = placeInScalar(range, text);
  let template = cache.templates.get(text);
  if (!template) cache.templates.set(text, (template = compileChecked(text, place, 'value')));
  const { constant, isLone } = template;
  if (constant !== undefined) return { range, isLiteral: true, references: [], written: text, render: () => constant };
  const found = template;
  return {
    range,
    isLiteral: false,
    get references() {
      return referencesOf(found, place);
    },
    written: text,
    render(scope) {
      const box: ValueBox = { value: undefined };
      const rendered = run(found, place, scope, (taint) => found.render(scope, taint, isLone ? box : undefined));
      return isLone ? box.value : rendered;
    },
  };
}

function compileChecked(text: string, place: Place, as: 'value' | 'file'): CompiledTemplate {
  const { tree, mistakes, references, soft, isLone, constant } = parseTemplate(text, as);
  const offsets = lineStarts(text);
  const locate = (location: Location): Range => placeAt(location, offsets, place);
  if (mistakes.length > 0) {
    throw new DiagnosticsError(
      mistakes.map(({ message, hint, location }) => diagnostic(message, hint, locate(location))),
    );
  }
  const stretches = references.map(({ path, location }) => ({
    path,
    start: offsetOf(location.start, offsets),
    end: offsetOf(location.end, offsets),
  }));
  const render = constant === undefined ? compileTree(tree, soft) : () => constant;
  return { text, render, references: stretches, isLone, ...(constant !== undefined && { constant }) };
}

function referencesOf(template: CompiledTemplate, place: Place): Reference[] {
  return template.references.map((stretch) => referenceAt(place, stretch));
}

/** Runs a template: its text is secret when a secret went into it, and its failures get their place. */
function run(
  template: CompiledTemplate,
  place: Place,
  scope: Scope,
  render: (taint: Taint) => string,
): string | Secret {
  try {
    const taint: Taint = { secret: undefined };
    const text = render(taint);
    return taint.secret?.within(text) ?? text;
  } catch (error) {
    if (!(error instanceof TemplateFailure)) throw error;
    const range = placeAt(error.location, lineStarts(template.text), place);
    throw new DiagnosticsError([diagnostic(error.message, hintOf(error, scope), range)]);
  }
}

function hintOf({ hint, missing }: TemplateFailure, scope: Scope): string | undefined {
  if (!missing) return hint;
  if (missing.name === 'facts') return factsHint;
  const suggestion = didYouMean(missing.name, missing.known);
  if (suggestion !== undefined) return suggestion;
  // Inside {{#each}} a name is the item's own.
  const isOutside = !missing.known.includes(missing.name) && Object.hasOwn(scope, missing.name);
  return isOutside ? `inside {{#each}} and {{#with}} a variable is written {{@root.${missing.name}}}` : undefined;
}

function diagnostic(message: string, hint: string | undefined, range: Range): Diagnostic {
  return { severity: 'error', message, range, ...(hint !== undefined && { hint }) };
}

function placeAt(location: Location, offsets: readonly number[], place: Place): Range {
  const start = offsetOf(location.start, offsets);
  return place(start, Math.max(start + 1, offsetOf(location.end, offsets)));
}

function offsetOf(position: Location['start'], offsets: readonly number[]): number {
  return (offsets[position.line - 1] ?? 0) + position.column;
}

function lineStarts(text: string): number[] {
  return [0, ...Array.from(text.matchAll(/\r\n?|\n/g), (m) => m.index + m[0].length)];
}

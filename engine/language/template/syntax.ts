import Handlebars from 'handlebars';
import { didYouMean } from '../../base/diagnostic.ts';
import { templateHelpers } from './helpers.ts';
import { captureHelper, type Location, lenientHelpers, locationKey } from './strict-handlebars.ts';

/** A mistake in a template's text, found without variables. */
export interface TemplateMistake {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly location: Location;
}

/** A template's syntax tree with what the checks found out. */
export interface TemplateSyntax {
  readonly tree: hbs.AST.Program;
  readonly mistakes: readonly TemplateMistake[];
  /** The variables that it reads; of a name that need not exist only what stands before it. */
  readonly references: readonly { readonly path: readonly string[]; readonly location: Location }[];
  /** Paths whose last segment need not exist, by {@link locationKey}. */
  readonly soft: ReadonlySet<string>;
  /** The text, when there is nothing to fill in. */
  readonly constant?: string;
  /** It is one `{{ x }}` and nothing else, so its value keeps its type. The tree leaves it in the box. */
  readonly isLone: boolean;
}

const blockHelpers: readonly string[] = ['if', 'unless', 'each', 'with'];
const dataNames: ReadonlySet<string> = new Set(['index', 'key', 'first', 'last', 'root']);

/** Parses and checks a template; one that is a `file` has a text and nothing else, however little stands in it. */
export function parseTemplate(text: string, as: 'value' | 'file'): TemplateSyntax {
  let tree: hbs.AST.Program;
  try {
    tree = Handlebars.parse(text);
  } catch (error) {
    const nothing: hbs.AST.Program = Handlebars.parse('');
    const mistakes = [parseMistake(text, error)];
    return { tree: nothing, mistakes, references: [], soft: new Set(), isLone: false };
  }
  const mistakes: TemplateMistake[] = [];
  const references: { path: readonly string[]; location: Location }[] = [];
  const soft = new Set<string>();
  checkProgram(tree, { depth: 0, locals: new Set(), mistakes, references, soft });
  const isConstant = tree.body.every((s) => s.type === 'ContentStatement' || s.type === 'CommentStatement');
  const constant = tree.body.map((s) => (s.type === 'ContentStatement' ? (s as hbs.AST.ContentStatement).value : ''));
  const [only] = tree.body;
  const isLone = as === 'value' && tree.body.length === 1 && only?.type === 'MustacheStatement';
  if (isLone && mistakes.length === 0) captureValue(only as hbs.AST.MustacheStatement);
  return { tree, mistakes, references, soft, isLone, ...(isConstant && { constant: constant.join('') }) };
}

interface Walk {
  /** How many `each` and `with` are around: at 0 a name is a variable. */
  readonly depth: number;
  /** Names of `as |item index|`. */
  readonly locals: ReadonlySet<string>;
  readonly mistakes: TemplateMistake[];
  readonly references: { path: readonly string[]; location: Location }[];
  readonly soft: Set<string>;
}

type Call = hbs.AST.MustacheStatement | hbs.AST.BlockStatement | hbs.AST.SubExpression;

function checkProgram(program: hbs.AST.Program | undefined, walk: Walk): void {
  for (const statement of program?.body ?? []) checkStatement(statement, walk);
}

function checkStatement(statement: hbs.AST.Statement, walk: Walk): void {
  const mistake = (message: string, hint?: string): void => {
    walk.mistakes.push({ message, hint, location: statement.loc });
  };
  switch (statement.type) {
    case 'MustacheStatement':
      return checkCall(statement as hbs.AST.MustacheStatement, walk, 'value');
    case 'BlockStatement':
      return checkBlock(statement as hbs.AST.BlockStatement, walk);
    case 'PartialStatement':
    case 'PartialBlockStatement':
      return mistake('templates cannot include other templates ({{> …}})');
    case 'Decorator':
    case 'DecoratorBlock':
      return mistake('decorators ({{* …}}) are not supported');
    default:
  }
}

function checkBlock(block: hbs.AST.BlockStatement, walk: Walk): void {
  checkCall(block, walk, 'block');
  const name = nameOf(block.path);
  const opensItem = name === 'each' || name === 'with';
  const locals = new Set([...walk.locals, ...(block.program?.blockParams ?? [])]);
  checkProgram(block.program, { ...walk, locals, depth: walk.depth + (opensItem ? 1 : 0) });
  checkProgram(block.inverse, walk);
}

function checkCall(call: Call, walk: Walk, as: 'value' | 'block' | 'argument'): void {
  const name = nameOf(call.path);
  const pairs = call.hash?.pairs ?? [];
  const helper = name !== undefined && Object.hasOwn(templateHelpers, name) ? templateHelpers[name] : undefined;
  if (
    as === 'value' &&
    !helper &&
    call.params.length === 0 &&
    pairs.length === 0 &&
    !blockHelpers.includes(name ?? '')
  ) {
    return checkExpression(call.path as hbs.AST.Expression, walk, false);
  }
  const mistake = (message: string, hint?: string): void => {
    walk.mistakes.push({ message, hint, location: call.path.loc });
  };
  if (as === 'block' ? !blockHelpers.includes(name ?? '') : !helper) mistake(...unknownHelper(call, name, as));
  else if (as === 'block' && call.params.length !== 1) mistake(`{{#${name ?? ''}}} takes one value`);
  else if (helper && !isBetween(call.params.length, helper.arity)) {
    mistake(`${name ?? ''} is called with ${count(call.params.length)}`, `write {{${helper.usage}}}`);
  }
  for (const pair of pairs) {
    if (as === 'block' && pair.key === 'includeZero') checkExpression(pair.value, walk, false);
    else walk.mistakes.push({ message: `helpers take no named arguments (${pair.key}=…)`, location: pair.loc });
  }
  for (const param of call.params) checkExpression(param, walk, lenientHelpers.has(name ?? ''));
}

function unknownHelper(call: Call, name: string | undefined, as: 'value' | 'block' | 'argument'): [string, string?] {
  const written = name ?? String((call.path as hbs.AST.PathExpression).original);
  if (as === 'block') {
    const hint = didYouMean(written, blockHelpers) ?? 'the blocks are {{#if}}, {{#unless}}, {{#each}} and {{#with}}';
    return [`there is no block "${written}"`, hint];
  }
  const isTernary = call.params.some((param) => nameOf(param) === 'if');
  if (isTernary) return [`there is no "a if b"`, 'write {{#if b}}a{{else}}c{{/if}}'];
  if (blockHelpers.includes(written)) return [`"${written}" is a block`, `write {{#${written} x}} … {{/${written}}}`];
  const names = Object.keys(templateHelpers);
  return [`there is no helper "${written}"`, didYouMean(written, names) ?? `the helpers are ${names.join(', ')}`];
}

function checkExpression(expression: hbs.AST.Expression, walk: Walk, isSoft: boolean): void {
  if (expression.type === 'SubExpression') return checkCall(expression as hbs.AST.SubExpression, walk, 'argument');
  if (expression.type !== 'PathExpression') return;
  const path = expression as hbs.AST.PathExpression;
  const parts = [...path.parts];
  if (isSoft) walk.soft.add(locationKey(path.loc));
  if (path.data) {
    const [first = ''] = parts;
    if (!dataNames.has(first)) {
      const hint = didYouMean(first, dataNames);
      walk.mistakes.push({ message: `there is no "@${first}"`, hint, location: path.loc });
    }
    if (first === 'root') addReference(parts.slice(1), path.loc, isSoft, walk);
    return;
  }
  const isLocal = path.depth === 0 && walk.locals.has(parts[0] ?? '') && !/^(this|\.)/.test(path.original);
  if (!isLocal && walk.depth - path.depth <= 0) addReference(parts, path.loc, isSoft, walk);
}

function addReference(parts: readonly string[], location: Location, isSoft: boolean, walk: Walk): void {
  const path = isSoft ? parts.slice(0, -1) : parts;
  if (path.length > 0) walk.references.push({ path, location });
}

/** The name of a helper call, undefined for paths and literals. */
function nameOf(path: hbs.AST.Expression): string | undefined {
  if (path.type !== 'PathExpression') return undefined;
  const { parts, data, depth, original } = path as hbs.AST.PathExpression;
  return parts.length === 1 && !data && depth === 0 && original === parts[0] ? parts[0] : undefined;
}

/** Turns `{{ x }}` into `{{ __capture x }}` and `{{ f x }}` into `{{ __capture (f x) }}`. */
function captureValue(statement: hbs.AST.MustacheStatement): void {
  const { path, params, hash, loc } = statement;
  const isCall = params.length > 0 || Object.hasOwn(templateHelpers, nameOf(path as hbs.AST.Expression) ?? '');
  const value = isCall ? { type: 'SubExpression', path, params, hash, loc } : path;
  const capture = {
    type: 'PathExpression',
    data: false,
    depth: 0,
    parts: [captureHelper],
    original: captureHelper,
    loc,
  };
  // The tree was made for this template alone.
  Object.assign(statement, { path: capture, params: [value], hash: undefined });
}

function parseMistake(text: string, error: unknown): TemplateMistake {
  const at = error as { lineNumber?: number; column?: number; endLineNumber?: number; endColumn?: number };
  if (at.lineNumber !== undefined && at.column !== undefined) {
    const start = { line: at.lineNumber, column: at.column };
    const end = { line: at.endLineNumber ?? at.lineNumber, column: at.endColumn ?? at.column + 1 };
    return {
      message: `in the template: ${String((error as Error).message).replace(/ - \d+:\d+$/, '')}`,
      location: { start, end },
    };
  }
  const opened = text.lastIndexOf('{{');
  if (opened > text.lastIndexOf('}}')) {
    const before = text.slice(0, opened).split(/\r\n?|\n/);
    const start = { line: before.length, column: before.at(-1)?.length ?? 0 };
    const end = { line: start.line, column: start.column + 2 };
    return { message: 'this {{ is not closed', hint: 'a literal {{ is written \\{{', location: { start, end } };
  }
  return syntaxMistake(text) ?? { message: 'the template cannot be read', location: startOfText };
}

const startOfText: Location = { start: { line: 1, column: 0 }, end: { line: 1, column: 1 } };

/** Parses once more for the place, which Handlebars' own syntax errors only tell as text. */
function syntaxMistake(text: string): TemplateMistake | undefined {
  const parser = Object.create(Reflect.get(Handlebars, 'Parser') as object) as {
    parse(text: string): void;
    parseError(message: string, details: SyntaxDetails): never;
  };
  let found: TemplateMistake | undefined;
  parser.parseError = (_message, { token, loc, line }) => {
    const start = loc ? { line: loc.first_line, column: loc.first_column } : { line: line + 1, column: 0 };
    const end = loc ? { line: loc.last_line, column: loc.last_column } : start;
    // `{{#each x as |y|}}` is Handlebars' own.
    const isFilter = /\{\{(?![^}]*\bas \|)[^}|]*\|/.test(text);
    const hint = isFilter
      ? 'there are no filters; a helper comes before its arguments: {{upper name}}'
      : syntaxHintFor(text);
    const message = token === 'EOF' ? 'the template ends too early: "}}" or a closing {{/…}} is missing' : undefined;
    found = { message: message ?? 'the template has a syntax error here', hint, location: { start, end } };
    throw new Error('stop');
  };
  try {
    parser.parse(text);
  } catch {
    // `found` says it.
  }
  return found;
}

function syntaxHintFor(text: string): string {
  if (/\{\{[^}]*\w\[/.test(text)) return 'an item is written {{lookup list 0}} or {{lookup map key}}';
  if (/\{\{[^}]*[\w\]]\.\d+[\s})]/.test(text)) return 'an item at the end of a name is written list.[0]';
  if (/\{\{[^}]*\w\(/.test(text)) return 'the arguments of a helper follow it, without brackets: {{lower name}}';
  return 'a literal {{ is written \\{{';
}

interface SyntaxDetails {
  readonly token: string | null;
  readonly line: number;
  readonly loc?: { first_line: number; first_column: number; last_line: number; last_column: number };
}

function isBetween(n: number, [low, high]: readonly [number, number]): boolean {
  return n >= low && n <= high;
}

function count(n: number): string {
  if (n === 0) return 'no argument';
  return n === 1 ? 'one argument' : `${n} arguments`;
}

import { type ASTNode, Optional, ParseError } from '@marcbachmann/cel-js';
import { type Diagnostic, DiagnosticsError, didYouMean } from '../base/diagnostic.ts';
import { errorMessage, RunbookError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import type { Range } from '../base/source.ts';
import type { CompileCache, CompiledExpression } from './compile-cache.ts';
import { compareRevealed } from './expression/comparisons.ts';
import { celTypeNames, createCelEnvironment } from './expression/environment.ts';
import { ExpressionFailure } from './expression/failure.ts';
import { syntaxHint, typeHint } from './expression/hints.ts';
import { collectReferences } from './expression/references.ts';
import { type Place, placeInScalar, referenceAt } from './place.ts';
import { factsHint } from './references.ts';
import type { Expression, Scope, Value } from './value.ts';

// One for the process, never changed after it is made.
const environment = createCelEnvironment();

/** Compiles a CEL expression. Raises a DiagnosticsError for bad syntax, unknown functions and types that cannot fit. */
export function compileExpression(text: string, range: Range, cache: CompileCache): Expression {
  const place = placeInScalar(range, text);
  let compiled = cache.expressions.get(text);
  if (!compiled) cache.expressions.set(text, (compiled = compileChecked(text, place)));
  const { run, references } = compiled;
  const evaluate = (scope: Scope): unknown => {
    try {
      return toData(run(ownOnly(scope)));
    } catch (error) {
      throw explain(error, text, place, scope);
    }
  };
  return {
    text,
    range,
    get references() {
      return references.map((stretch) => referenceAt(place, stretch));
    },
    evaluate,
    test(scope) {
      const result = evaluate(scope);
      if (typeof result === 'boolean') return result;
      const message = `a condition must be true or false, this one is ${kindOf(result)}`;
      throw new DiagnosticsError([
        { severity: 'error', message, hint: 'compare it: x == "y", x > 0, x != null', range },
      ]);
    },
  };
}

/** An expression as a value (`!expr`). */
export function expressionValue(expression: Expression): Value {
  return {
    range: expression.range,
    expression,
    isLiteral: false,
    get references() {
      return expression.references;
    },
    written: `!expr ${expression.text}`,
    render: (scope) => expression.evaluate(scope),
  };
}

/** What cel-js throws: `summary` is its message without the excerpt. */
interface CelError extends Error {
  readonly code: string;
  readonly summary: string;
  readonly range?: { readonly start: number; readonly end: number };
  readonly node?: ASTNode;
}

function compileChecked(text: string, place: Place): CompiledExpression {
  try {
    const run = environment.parse(text);
    const references = collectReferences(run.ast);
    const reserved = references.find(({ path }) => celTypeNames.has(path[0] ?? '') && !/\btype\s*\(/.test(text));
    if (reserved) {
      const name = reserved.path[0] ?? '';
      const message = `"${name}" is the name of a type here and cannot be a variable`;
      throw new DiagnosticsError([
        diagnostic(message, 'give the variable another name', place(reserved.start, reserved.end)),
      ]);
    }
    const checked = run.check();
    if (!checked.valid) throw checked.error;
    compareRevealed(run.ast);
    return { run, references };
  } catch (error) {
    throw explain(error, text, place, {});
  }
}

/** Makes a diagnostic of an error that a user can mend. What is ours already (an unknown value among it) stays as it is. */
function explain(error: unknown, text: string, place: Place, scope: Scope): unknown {
  if (error instanceof RunbookError) return error;
  const { code, summary, range, node } = error as Partial<CelError>;
  const at = range ? place(range.start, Math.max(range.end, range.start + 1)) : place(0, text.length);
  const make = (message: string, hint?: string): DiagnosticsError =>
    new DiagnosticsError([diagnostic(message, hint, at)]);
  if (error instanceof ExpressionFailure) return make(error.message, error.hint);
  if (code !== undefined && error instanceof ParseError && text.includes('{{')) {
    const start = text.indexOf('{{');
    const message = 'an expression is written without {{ }}';
    return new DiagnosticsError([diagnostic(message, 'variables stand bare in it: x == "y"', place(start, start + 2))]);
  }
  switch (code) {
    case 'unexpected_character':
      return make(
        `${JSON.stringify(text.slice(range?.start, range?.end))} is not expected here`,
        syntaxHint(text, code),
      );
    case 'unknown_variable': {
      const name = text.slice(range?.start, range?.end);
      return make(`"${name}" is not defined`, wordHint(name) ?? didYouMean(name, Object.keys(scope)));
    }
    case 'no_such_key':
      return make(...missingKey(node, scope, summary));
    case 'reserved_identifier':
      return make(`${text.slice(range?.start, range?.end)} is a reserved word of expressions`);
    case undefined:
      return make(`the expression cannot be evaluated: ${errorMessage(error)}`);
    default:
      return make(describe(summary ?? code), syntaxHint(text, code) ?? typeHint(summary ?? ''));
  }
}

function missingKey(node: ASTNode | undefined, scope: Scope, summary = ''): [string, string | undefined] {
  const isAccess = node?.op === '.' || node?.op === '[]';
  const owner = isAccess ? (node.args as readonly [ASTNode, unknown])[0] : undefined;
  const key = /^No such key: (.*)$/s.exec(summary)?.[1];
  if (!owner || key === undefined) return [describe(summary), undefined];
  const name = owner.input.slice(owner.start, owner.end);
  try {
    const value: unknown = environment.evaluate(name, ownOnly(scope));
    if (value === null || typeof value !== 'object')
      return [`"${name}" is ${kindOf(value)} and has no "${key}"`, undefined];
    if (Array.isArray(value))
      return [`"${name}" is a list and has no "${key}"`, `its items are ${name}[0], ${name}[1], …`];
    return [`"${name}" has no "${key}"`, didYouMean(key, Object.keys(value)) ?? optionalHint(node, name, key)];
  } catch {
    // The owner is the variable of a comprehension: its value is gone.
    return [`"${name}" has no "${key}"`, undefined];
  }
}

function optionalHint(node: ASTNode | undefined, name: string, key: string): string | undefined {
  return node?.op === '.' ? `where it may be missing: has(${name}.${key}), or ${name}.?${key}.orValue("…")` : undefined;
}

function wordHint(name: string): string | undefined {
  if (name === 'True' || name === 'False') return `write ${name.toLowerCase()}`;
  if (name === 'facts') return factsHint;
  return name === 'None' ? 'write null' : undefined;
}

function describe(summary: string): string {
  return summary
    .replace(/^found no matching overload for '(\w+)\(/, "no function '$1(")
    .replace(/^found no matching overload for '[\w<>., ]*?\.?(\w+)\(/, "no method '$1(")
    .replace(/^no such overload: /, 'these types do not go together: ')
    .replace(/\bdyn<(.*?)>/g, '$1')
    .replace(/\bdyn\b/g, '…')
    .replace(
      /\b(Expected|got|token:) ([A-Z]+)\b/g,
      (_, before: string, token: string) => `${before} ${tokenName(token)}`,
    )
    .replace(/^Unexpected token: the end$/, 'the expression ends too early')
    .replace(/^./, (c) => c.toLowerCase());
}

/** A token as cel-js calls it, for people. */
function tokenName(token: string): string {
  const names: Readonly<Record<string, string>> = {
    EOF: 'the end',
    IDENTIFIER: 'a name',
    NUMBER: 'a number',
    STRING: 'a text',
    BOOLEAN: 'true or false',
    MODULO: '%',
    LPAREN: '(',
    RPAREN: ')',
    LBRACKET: '[',
    RBRACKET: ']',
    LBRACE: '{',
    RBRACE: '}',
    COMMA: 'a comma',
    COLON: 'a colon',
    DOT: 'a dot',
    QUESTION: '?',
  };
  return names[token] ?? token;
}

/** Plain scopes have the names of Object.prototype too; scopes of our own have not. */
function ownOnly(scope: Scope): Scope {
  if (Object.getPrototypeOf(scope) === null) return scope;
  // A Map by its type only: cel-js asks nothing but `get`.
  return new OwnNames(scope) as unknown as Scope;
}

class OwnNames extends Map<string, unknown> {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    super();
    this.#scope = scope;
  }

  override get(name: string): unknown {
    return Object.hasOwn(this.#scope, name) ? this.#scope[name] : undefined;
  }
}

/** CEL's own kinds of values as JSON-like data. What came from the scope is left as it is, lazy parts unread. */
function toData(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.some(isForeign) ? value.map(toData) : value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return instanceToData(value);
  const entries = Object.entries(Object.getOwnPropertyDescriptors(value));
  if (!entries.some(([, property]) => isForeign(property.value))) return value;
  return Object.fromEntries(entries.map(([key, property]) => [key, toData(property.value)]));
}

function isForeign(value: unknown): boolean {
  return typeof value === 'bigint' || (typeof value === 'object' && value !== null && toData(value) !== value);
}

function instanceToData(value: object): unknown {
  if (value instanceof Secret) return value;
  if (value instanceof Date) return value.toISOString();
  const plain: unknown = value.valueOf();
  // An unsigned integer.
  if (typeof plain === 'bigint') return Number(plain);
  // The build may put a `_` before the name of a class, and a number behind it.
  const kind = value.constructor.name.replace(/^_|\d+$/g, '');
  const hint = value instanceof Optional ? 'end it with .orValue("…")' : 'turn it into a text with string(…)';
  const article = /^[aeiou]/i.test(kind) ? 'an' : 'a';
  throw new ExpressionFailure(`the expression gives ${article} ${kind.toLowerCase()}, which is no plain data`, hint);
}

function diagnostic(message: string, hint: string | undefined, range: Range): Diagnostic {
  return { severity: 'error', message, range, ...(hint !== undefined && { hint }) };
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value instanceof Secret) return 'a secret';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string'
    ? `the text ${JSON.stringify(value.slice(0, 40))}`
    : `the ${typeof value} ${String(value)}`;
}

import { type Diagnostic, DiagnosticsError } from '../base/diagnostic.ts';
import { Secret } from '../base/secret.ts';
import type { Range } from '../base/source.ts';
import { type CompileCache, createCompileCache } from './compile-cache.ts';
import { compileExpression, expressionValue } from './expression.ts';
import { compileText } from './template.ts';
import type { Value } from './value.ts';
import type { YamlNode } from './yaml.ts';

export { type CompileCache, createCompileCache } from './compile-cache.ts';
export { compileExpression } from './expression.ts';
export { compileTemplate, compileText, type Template } from './template.ts';

/** Compiles a YAML node. Raises a DiagnosticsError with every mistake in it. Keys are never templates. */
export function compileNode(node: YamlNode, cache: CompileCache): Value {
  switch (node.kind) {
    case 'scalar': {
      const { value, range } = node;
      if (node.secret && node.isExpression) return secretExpression(node.secret, range, cache);
      if (node.secret) return secretValue(node.secret, range, cache);
      if (node.isExpression) return expressionValue(compileExpression(String(value), range, cache));
      return typeof value === 'string' ? compileText(value, range, cache) : literal(value, range);
    }
    case 'list':
      return listOf(
        compileAll(node.items, (item) => compileNode(item, cache)),
        node.range,
      );
    case 'map': {
      const values = compileAll(node.entries, ({ key, value }) => [key, compileNode(value, cache)] as const);
      return mapOf(values, node.range);
    }
  }
}

/**
 * Compiles plain data, as inventories give it: texts with `{{` are templates. Every part has the place of the whole.
 * Raises a DiagnosticsError with every mistake in it.
 */
export function compileData(data: unknown, range: Range, cache: CompileCache = createCompileCache()): Value {
  if (typeof data === 'string') return compileText(data, range, cache);
  if (data instanceof Secret) return secretValue(data, range, cache);
  if (Array.isArray(data))
    return listOf(
      compileAll(data, (item) => compileData(item, range, cache)),
      range,
    );
  if (typeof data !== 'object' || data === null || !isPlain(data)) return literal(data, range);
  const values = compileAll(Object.entries(data), ([key, value]) => [key, compileData(value, range, cache)] as const);
  return mapOf(values, range);
}

/** A value that depends on nothing. */
export function literal(data: unknown, range: Range): Value {
  return { range, isLiteral: true, references: [], written: data, render: () => data };
}

/**
 * A secret from an encrypted file. As in Ansible it may be a template, and what it renders to is secret. Its errors quote
 * nothing but the names of variables.
 */
function secretValue(secret: Secret, range: Range, cache: CompileCache): Value {
  if (!secret.reveal().includes('{{')) return literal(secret, range);
  return derivedValue(compileSecretText(secret, range, cache), secret, (rendered) =>
    typeof rendered === 'string' ? secret.derive(rendered) : rendered,
  );
}

/** `!expr` in an encrypted file. The texts that it gives may stand in it as they are, and so are secrets. */
function secretExpression(secret: Secret, range: Range, cache: CompileCache): Value {
  const value = expressionValue(compileExpression(secret.reveal(), range, cache));
  const seal = (data: unknown): unknown => {
    if (typeof data === 'string') return secret.derive(data);
    if (Array.isArray(data)) return data.map(seal);
    if (typeof data !== 'object' || data === null || !isPlain(data)) return data;
    return Object.fromEntries(Object.entries(data).map(([key, item]) => [key, seal(item)]));
  };
  return derivedValue(value, secret, seal);
}

/** What is written in a secret: of what it gives, `seal` makes secrets. */
function derivedValue(value: Value, written: Secret, seal: (rendered: unknown) => unknown): Value {
  return {
    range: value.range,
    isLiteral: value.isLiteral,
    get references() {
      return value.references;
    },
    written,
    render: (scope) => seal(value.render(scope)),
  };
}

function compileSecretText(secret: Secret, range: Range, cache: CompileCache): Value {
  try {
    return compileText(secret.reveal(), range, cache);
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    const hint = 'two braces that begin no template are written \\{{';
    const message = 'the encrypted text has {{ in it and is no valid template';
    throw new DiagnosticsError([{ severity: 'error', message, hint, range }]);
  }
}

/** A list of values; every rendering is a new list. */
export function listOf(items: readonly Value[], range: Range): Value {
  return composed(items, range, (of) => items.map(of));
}

/** A map of values; every rendering is a new map. */
export function mapOf(entries: readonly (readonly [string, Value])[], range: Range): Value {
  const values = entries.map(([, value]) => value);
  // fromEntries makes own properties, whatever their names.
  return composed(values, range, (of) => Object.fromEntries(entries.map(([key, value]) => [key, of(value)])));
}

function composed(parts: readonly Value[], range: Range, compose: (of: (part: Value) => unknown) => unknown): Value {
  return {
    range,
    parts,
    isLiteral: parts.every((part) => part.isLiteral),
    get references() {
      return parts.flatMap((part) => part.references);
    },
    get written() {
      return compose((part) => part.written);
    },
    render: (scope) => compose((part) => part.render(scope)),
  };
}

/** Compiles all parts, then raises the mistakes of all. */
function compileAll<T, V>(parts: readonly T[], compile: (part: T) => V): V[] {
  const mistakes: Diagnostic[] = [];
  const values: V[] = [];
  for (const part of parts) {
    try {
      values.push(compile(part));
    } catch (error) {
      if (!(error instanceof DiagnosticsError)) throw error;
      mistakes.push(...error.diagnostics);
    }
  }
  if (mistakes.length > 0) throw new DiagnosticsError(mistakes);
  return values;
}

function isPlain(data: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(data);
  return prototype === null || prototype === Object.prototype;
}

import type { Range } from '../base/source.ts';

/** The variables that a template or an expression sees: own, possibly lazy, properties by name. */
export type Scope = Readonly<Record<string, unknown>>;

/** A name that a template or an expression reads: `facts.os.family` is `['facts', 'os', 'family']`. */
export interface Reference {
  readonly path: readonly string[];
  readonly range: Range;
}

/**
 * A value from a playbook or an inventory, compiled once: literal data, a template, an `!expr`, or a map or list that
 * contains such.
 */
export interface Value {
  readonly range: Range;
  /** True when no part of it depends on variables. */
  readonly isLiteral: boolean;
  readonly references: readonly Reference[];
  /** The data as it stands in the file, a template or an `!expr` as its text: what can be shown without a scope. */
  readonly written: unknown;
  /** Of a map or a list: what it is made of, in the order of its keys or items. */
  readonly parts?: readonly Value[];
  /** Of an `!expr`, or of a module's argument that is an expression. */
  readonly expression?: Expression;
  /**
   * Gives plain data. Raises a DiagnosticsError with the place for an undefined name or a wrong type, and an
   * UnknownValueError when it reads what check mode cannot know.
   */
  render(scope: Scope): unknown;
}

/** A CEL expression, parsed and checked once. */
export interface Expression {
  readonly text: string;
  readonly range: Range;
  readonly references: readonly Reference[];
  /** The result as JSON-like data (CEL integers become numbers). Raises as {@link Value.render} does. */
  evaluate(scope: Scope): unknown;
  /** As `evaluate`, for conditions: a result that is no boolean is an error. */
  test(scope: Scope): boolean;
}

/** Variables by name, in one layer of precedence. */
export type Variables = ReadonlyMap<string, Value>;

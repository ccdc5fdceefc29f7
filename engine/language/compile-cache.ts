import type { ParseResult } from '@marcbachmann/cel-js';
import type { Taint, ValueBox } from './template/strict-handlebars.ts';

/** Texts that were compiled already. A stage makes one and passes it to everything that it compiles. */
export interface CompileCache {
  readonly templates: Map<string, CompiledTemplate>;
  readonly expressions: Map<string, CompiledExpression>;
}

/** A name that is read, by its offsets in the text. */
export interface Stretch {
  readonly path: readonly string[];
  readonly start: number;
  readonly end: number;
}

/** A template without its place, so that equal texts share it. */
export interface CompiledTemplate {
  readonly text: string;
  readonly render: (scope: object, taint: Taint, box?: ValueBox) => string;
  readonly references: readonly Stretch[];
  readonly isLone: boolean;
  readonly constant?: string;
}

/** An expression without its place. */
export interface CompiledExpression {
  readonly run: ParseResult;
  readonly references: readonly Stretch[];
}

/** Makes an empty cache. */
export function createCompileCache(): CompileCache {
  return { templates: new Map(), expressions: new Map() };
}

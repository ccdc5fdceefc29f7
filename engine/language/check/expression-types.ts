import type { Environment } from '@marcbachmann/cel-js';
import type { Stretch } from '../compile-cache.ts';
import { createCelEnvironment } from '../expression/environment.ts';
import { typeHint } from '../expression/hints.ts';
import { collectReferences } from '../expression/references.ts';
import type { Shape } from './shape.ts';

/** What an expression gives, as CEL names it (`bool`, `string`, `dyn`), or why its types do not go together. */
export type ExpressionType = { readonly type: string } | TypeMistake;

export interface TypeMistake {
  readonly message: string;
  readonly hint: string | undefined;
  /** Offsets in the text. */
  readonly start: number;
  readonly end: number;
}

/** Finds the types of expressions whose names have known shapes. */
export interface TypeChecker {
  /** `shapeOf` tells what is known of a path. */
  typeOf(text: string, shapeOf: (path: readonly string[]) => Shape): ExpressionType;
}

/**
 * Makes a checker. It writes a variable of the right type in place of every name whose type is known, so that one
 * environment serves all expressions, and asks cel-js.
 */
export function createTypeChecker(): TypeChecker {
  const environment = createTypedEnvironment();
  const parsed = new Map<string, readonly Stretch[]>();
  const checked = new Map<string, ExpressionType>();
  const stretchesOf = (text: string): readonly Stretch[] => {
    const known = parsed.get(text) ?? collectReferences(environment.parse(text).ast);
    parsed.set(text, known);
    return known;
  };
  return {
    typeOf(text, shapeOf) {
      const typed = withTypes(text, stretchesOf(text), shapeOf);
      const known = checked.get(typed) ?? checkText(environment, typed, text);
      checked.set(typed, known);
      return known;
    },
  };
}

const stand = { string: '_s', number: '_d', boolean: '_b', list: '_l', texts: '_t', map: '_m' } as const;

function createTypedEnvironment(): Environment {
  const environment = createCelEnvironment();
  const types = ['string', 'double', 'bool', 'list<dyn>', 'list<string>', 'map'];
  for (const [i, name] of Object.values(stand).entries()) environment.registerVariable(name, types[i] ?? 'dyn');
  // Numbers of data are doubles and those of expressions are ints: the run compares them by value.
  for (const operator of ['double == int', 'double in list<int>']) environment.registerOperator(operator, () => true);
  // Whether something is null may be asked of anything.
  for (const type of types) environment.registerOperator(`${type} == null`, () => true);
  return environment;
}

/** The text with every name of a known type replaced; all offsets stay what they are. */
function withTypes(text: string, stretches: readonly Stretch[], shapeOf: (path: readonly string[]) => Shape): string {
  let typed = text;
  for (const { path, start, end } of stretches) {
    const name = standIn(shapeOf(path));
    if (name === undefined || end - start < name.length) continue;
    typed = `${typed.slice(0, start)}${name.padEnd(end - start)}${typed.slice(end)}`;
  }
  return typed;
}

function standIn(shape: Shape): string | undefined {
  switch (shape?.type) {
    case 'string':
      return stand.string;
    case 'boolean':
      return stand.boolean;
    case 'integer':
    case 'number':
      return stand.number;
    case 'array':
      return shape.items?.type === 'string' ? stand.texts : stand.list;
    case 'object':
      return stand.map;
    default:
      return undefined;
  }
}

/** Mistakes that the run would make, too. The others are of CEL's static types only. */
const mistakeCodes: ReadonlySet<string> = new Set([
  'no_such_overload',
  'no_matching_overload',
  'invalid_logical_operand',
  'invalid_condition_type',
  'cannot_index_type',
]);

function checkText(environment: Environment, typed: string, text: string): ExpressionType {
  const { valid, type = 'dyn', error } = environment.check(typed);
  if (valid || !error) return { type };
  if (!mistakeCodes.has(error.code)) return { type: 'dyn' };
  const { start, end } = error.range ?? { start: 0, end: text.length };
  return { ...describe(error.summary), start, end: Math.max(end, start + 1) };
}

function describe(summary: string): { message: string; hint: string | undefined } {
  const compared = /^no such overload: (\S.*) (==|!=|in) (\S.*)$/.exec(summary);
  if (compared) {
    const [, left = '', operator = '', right = ''] = compared;
    const outcome = operator === '!=' ? 'always true' : 'never true';
    const message =
      operator === 'in'
        ? `${typeName(left)} is never in ${typeName(right)}`
        : `${typeName(left)} is compared with ${typeName(right)}, which is ${outcome}`;
    return { message, hint: compareHint(left, right) };
  }
  const operated = /^no such overload: (\S.*) ([-+*/%<>]=?) (\S.*)$/.exec(summary);
  if (operated) {
    const [, left = '', operator = '', right = ''] = operated;
    const message = `${typeName(left)} ${operator} ${typeName(right)}: these types do not go together`;
    const isOrder = operator.startsWith('<') || operator.startsWith('>');
    const hint = compareHint(left, right);
    return { message, hint: hint !== undefined && isOrder ? `${hint}; versions: versionAtLeast(x, "1.2")` : hint };
  }
  const negated = /^no such overload: ([!-])(\S+)$/.exec(summary);
  if (negated) return { message: `${negated[1]} does not go with ${typeName(negated[2] ?? '')}`, hint: truthHint };
  const logical = /requires bool operands, got '(.*)'|condition must be bool, got '(.*)'/.exec(summary);
  if (logical) {
    const name = typeName(logical[1] ?? logical[2] ?? '');
    return { message: `true or false is needed here, and this is ${name}`, hint: truthHint };
  }
  const called = /^found no matching overload for '(.*)'/.exec(summary)?.[1];
  if (called) return { message: `no function fits ${readable(called)}`, hint: typeHint(summary) };
  return { message: readable(summary).replace(/^./, (c) => c.toLowerCase()), hint: typeHint(summary) };
}

const truthHint = 'compare it: x == "y", x > 0, x != null';

/** A type of CEL's, for people. */
export function typeName(type: string): string {
  if (type.startsWith('list')) return type === 'list<string>' ? 'a list of texts' : 'a list';
  if (type.startsWith('map')) return 'a map';
  const names: Readonly<Record<string, string>> = {
    string: 'a text',
    double: 'a number',
    int: 'a number',
    uint: 'a number',
    bool: 'true or false',
    null: 'null',
    dyn: 'a value',
  };
  return names[type] ?? `a ${type}`;
}

function readable(summary: string): string {
  return summary
    .replace(/\bmap<string, dyn>/g, 'map')
    .replace(/\blist<dyn>/g, 'list')
    .replace(/\bstring\b/g, 'text')
    .replace(/\b(double|int)\b/g, 'number')
    .replace(/\bbool\b/g, 'true/false');
}

function compareHint(left: string, right: string): string | undefined {
  const types = [left, right];
  const isNumber = (type: string): boolean => type === 'int' || type === 'double';
  if (types.includes('string') && types.some(isNumber)) return 'turn one into the other with double(…) or string(…)';
  if (types.includes('string') && types.includes('bool')) return 'true and false stand without quotes';
  return undefined;
}

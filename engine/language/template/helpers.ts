import { posix } from 'node:path';
import { stringify } from 'yaml';
import { Secret } from '../../base/secret.ts';
import { quoteWord } from '../../base/sh.ts';

/** What a helper may use. */
export interface HelperContext {
  /** Makes the error of a helper that cannot do its work. */
  readonly fail: (message: string, hint?: string) => Error;
  /** The text of a secret, and any other value as it is. A text that a helper then returns is secret. */
  readonly reveal: (value: unknown) => unknown;
}

/** A function that templates may call: `{{join list ","}}`. */
export interface TemplateHelper {
  /** As `runbook doc templates` shows it. */
  readonly usage: string;
  readonly summary: string;
  /** The fewest and most arguments. */
  readonly arity: readonly [number, number];
  readonly run: (args: readonly unknown[], context: HelperContext) => unknown;
}

/** All helpers besides the blocks `if`, `unless`, `each` and `with`. */
export const templateHelpers: Readonly<Record<string, TemplateHelper>> = {
  default: {
    usage: 'default x "y"',
    summary: 'x, or y when x does not exist or is null',
    arity: [2, 2],
    run: ([value, fallback]) => value ?? fallback,
  },
  defined: {
    usage: 'defined x',
    summary: 'whether x exists and is not null',
    arity: [1, 1],
    run: ([value]) => value !== undefined && value !== null,
  },
  lookup: {
    usage: 'lookup map "key"',
    summary: 'the value under a key, or the item at an index, which must exist',
    arity: [2, 2],
    run: lookUp,
  },
  json: {
    usage: 'json x 2',
    summary: 'x as JSON, on one line or indented',
    arity: [1, 2],
    run: ([value, indent], { reveal }) => JSON.stringify(value, revealing(reveal), Number(indent ?? 0)),
  },
  yaml: {
    usage: 'yaml x',
    summary: 'x as YAML, without the last line break',
    arity: [1, 1],
    // By way of JSON, which reveals secrets at any depth and reads lazy parts once.
    run: ([value], { reveal }) =>
      stringify(JSON.parse(JSON.stringify(value, revealing(reveal))) as unknown, { lineWidth: 0 }).trimEnd(),
  },
  join: {
    usage: 'join list ","',
    summary: 'the items with a text between them',
    arity: [1, 2],
    run: ([list, separator], context) => {
      if (!Array.isArray(list)) throw context.fail(`join takes a list, not ${kindOf(list)}`);
      return list.map((item) => text('join', item, context)).join(text('join', separator ?? ',', context));
    },
  },
  lower: { usage: 'lower x', summary: 'in lower case', arity: [1, 1], run: onText('lower', (s) => s.toLowerCase()) },
  upper: { usage: 'upper x', summary: 'in upper case', arity: [1, 1], run: onText('upper', (s) => s.toUpperCase()) },
  trim: { usage: 'trim x', summary: 'without space around it', arity: [1, 1], run: onText('trim', (s) => s.trim()) },
  replace: {
    usage: 'replace x "a" "b"',
    summary: 'x with every a replaced by b (texts, no patterns)',
    arity: [3, 3],
    run: onText('replace', (s, from = '', to = '') => s.split(from).join(to)),
  },
  basename: {
    usage: 'basename path',
    summary: 'the last part of a path',
    arity: [1, 1],
    run: onText('basename', (s) => posix.basename(s)),
  },
  dirname: {
    usage: 'dirname path',
    summary: 'a path without its last part',
    arity: [1, 1],
    run: onText('dirname', (s) => posix.dirname(s)),
  },
  quote: {
    usage: 'quote x',
    summary: 'x as one word of a shell command',
    arity: [1, 1],
    run: onText('quote', (s) => quoteWord(s)),
  },
  b64encode: {
    usage: 'b64encode x',
    summary: 'the UTF-8 bytes of x in base64',
    arity: [1, 1],
    run: onText('b64encode', (s) => Buffer.from(s, 'utf8').toString('base64')),
  },
  indent: {
    usage: 'indent x 4',
    summary: 'x with spaces before every line but the first',
    arity: [2, 2],
    run: ([value, width], context) =>
      text('indent', value, context).replaceAll('\n', `\n${' '.repeat(wholeNumber('indent', width, context))}`),
  },
  eq: {
    usage: 'eq a b',
    summary: 'whether a is b, type included',
    arity: [2, 2],
    run: ([a, b], { reveal }) => reveal(a) === reveal(b),
  },
  ne: {
    usage: 'ne a b',
    summary: 'whether a is not b',
    arity: [2, 2],
    run: ([a, b], { reveal }) => reveal(a) !== reveal(b),
  },
  lt: { usage: 'lt a b', summary: 'whether a < b, both numbers or both texts', arity: [2, 2], run: order('lt', -1) },
  gt: { usage: 'gt a b', summary: 'whether a > b, both numbers or both texts', arity: [2, 2], run: order('gt', 1) },
  and: {
    usage: 'and a b …',
    summary: 'whether all are true, not empty and not 0',
    arity: [2, 9],
    run: (args, { reveal }) => args.map(reveal).every(isTruthy),
  },
  or: {
    usage: 'or a b …',
    summary: 'whether one is true, not empty and not 0',
    arity: [2, 9],
    run: (args, { reveal }) => args.map(reveal).some(isTruthy),
  },
  not: {
    usage: 'not a',
    summary: 'whether it is false, empty or 0',
    arity: [1, 1],
    run: ([value], { reveal }) => !isTruthy(reveal(value)),
  },
};

function lookUp([owner, key]: readonly unknown[], { fail, reveal }: HelperContext): unknown {
  if (typeof owner !== 'object' || owner === null) throw fail(`lookup takes a map or a list, not ${kindOf(owner)}`);
  const name = String(reveal(key));
  const isIndex = !Array.isArray(owner) || /^\d+$/.test(name);
  if (isIndex && Object.hasOwn(owner, name)) return Reflect.get(owner, name);
  throw fail(`lookup: there is no ${JSON.stringify(key)} in this ${Array.isArray(owner) ? 'list' : 'map'}`);
}

/** As Handlebars' own `if` decides. */
function isTruthy(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function order(name: string, sign: -1 | 1): TemplateHelper['run'] {
  return ([left, right], { fail, reveal }) => {
    const [a, b] = [reveal(left), reveal(right)];
    if (typeof a === 'number' && typeof b === 'number') return Math.sign(a - b) === sign;
    if (typeof a !== 'string' || typeof b !== 'string') {
      throw fail(`${name} compares two numbers or two texts, not ${kindOf(a)} and ${kindOf(b)}`);
    }
    return (a < b ? -1 : a > b ? 1 : 0) === sign;
  };
}

function onText(name: string, run: (...texts: string[]) => string): TemplateHelper['run'] {
  return (args, context) => run(...args.map((arg) => text(name, arg, context)));
}

function text(name: string, given: unknown, { fail, reveal }: HelperContext): string {
  const value = reveal(given);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw fail(`${name} takes a text, not ${kindOf(value)}`);
}

function wholeNumber(name: string, value: unknown, { fail }: HelperContext): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1000) return value;
  throw fail(`${name} takes a number of spaces, not ${kindOf(value)}`);
}

/** A JSON replacer that writes what secrets say, which would otherwise be written as asterisks. */
function revealing(reveal: HelperContext['reveal']): (this: unknown, key: string, value: unknown) => unknown {
  return function (key, value) {
    // `value` went through toJSON already; the owner still has the secret itself.
    const own: unknown = Reflect.get(this as object, key);
    return own instanceof Secret ? reveal(own) : value;
  };
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Secret) return 'a secret';
  return typeof value === 'object' ? 'a map' : `a ${typeof value === 'string' ? 'text' : typeof value}`;
}

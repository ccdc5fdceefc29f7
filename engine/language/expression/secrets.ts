import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import { Secret } from '../../base/secret.ts';
import { ExpressionFailure } from './failure.ts';

/** What of an expression sees the text of a secret, and what comes of it. */
interface TextFunction {
  /** With `a`, `b`, `c` for its operands: the first is the receiver of a method. */
  readonly call: string;
  /** Types of the operands; every `string` may be a secret. */
  readonly operands: readonly string[];
  readonly result: 'string' | 'bool' | 'int' | 'double' | 'list';
}

const names = ['a', 'b', 'c'];

const functions: readonly TextFunction[] = [
  ...['startsWith', 'endsWith', 'contains', 'matches'].map((name) => method(name, ['string'], 'bool')),
  ...['lowerAscii', 'upperAscii', 'trim'].map((name) => method(name, [], 'string')),
  method('size', [], 'int'),
  method('indexOf', ['string'], 'int'),
  method('lastIndexOf', ['string'], 'int'),
  method('substring', ['int'], 'string'),
  method('substring', ['int', 'int'], 'string'),
  method('replace', ['string', 'string'], 'string'),
  method('split', ['string'], 'list'),
  { call: 'size(a)', operands: ['string'], result: 'int' },
  { call: 'string(a)', operands: ['string'], result: 'string' },
  { call: 'int(a)', operands: ['string'], result: 'int' },
  { call: 'double(a)', operands: ['string'], result: 'double' },
  { call: 'bool(a)', operands: ['string'], result: 'bool' },
  { call: 'versionCompare(a, b)', operands: ['string', 'string'], result: 'int' },
  { call: 'versionAtLeast(a, b)', operands: ['string', 'string'], result: 'bool' },
];

const operators: readonly (readonly [string, TextFunction['result']])[] = [
  ['+', 'string'],
  ['<', 'bool'],
  ['<=', 'bool'],
  ['>', 'bool'],
  ['>=', 'bool'],
];

/**
 * Lets expressions work with secrets as with texts. A text that is made of a secret is one; whether two are equal, how
 * long one is, and the number that it says are none. Of `==`, `!=` and `in` see comparisons.ts.
 */
export function registerSecrets(environment: Environment, texts: Environment): void {
  environment.registerType('Secret', Secret);
  for (const { call, operands, result } of functions) {
    for (const types of withSecrets(operands)) {
      environment.registerFunction(`${signatureOf(call, types)}: ${typeOf(result)}`, handler(texts.parse(call), call));
    }
  }
  for (const [operator, result] of operators) {
    for (const types of withSecrets(['string', 'string'])) {
      const signature = types.join(` ${operator} `);
      environment.registerOperator(
        `${signature}: ${typeOf(result)}`,
        handler(texts.parse(`a ${operator} b`), operator),
      );
    }
  }
}

function method(name: string, args: readonly string[], result: TextFunction['result']): TextFunction {
  return { call: `a.${name}(${names.slice(1, args.length + 1).join(', ')})`, operands: ['string', ...args], result };
}

/** Every choice of operands of which at least one is a secret. */
function withSecrets(operands: readonly string[]): string[][] {
  const choices = operands.reduce<string[][]>(
    (made, type) =>
      made.flatMap((before) =>
        type === 'string'
          ? [
              [...before, type],
              [...before, 'Secret'],
            ]
          : [[...before, type]],
      ),
    [[]],
  );
  return choices.filter((types) => types.includes('Secret'));
}

/** `a.replace(b, c)` with its types: `Secret.replace(string, Secret)`. */
function signatureOf(call: string, types: readonly string[]): string {
  return call.replace(/\b[abc]\b/g, (name) => types[names.indexOf(name)] ?? name);
}

function typeOf(result: TextFunction['result']): string {
  if (result === 'string') return 'Secret';
  return result === 'list' ? 'list<Secret>' : result;
}

function handler(run: ParseResult, what: string): (...operands: unknown[]) => unknown {
  return (...operands) => {
    const secret = operands.find((operand) => operand instanceof Secret);
    const texts = operands.map((operand) => (operand instanceof Secret ? operand.reveal() : operand));
    const values = Object.fromEntries(texts.map((text, i) => [names[i], text]));
    try {
      const made: unknown = run(values);
      // Both operands are in the text as they are.
      return what === '+' && typeof made === 'string' ? secret?.within(made) : derived(made, secret);
    } catch {
      // The message of the package may quote the text.
      throw new ExpressionFailure(`${what.replace(/\(.*/, '').replace('a.', '')} cannot be done with this secret`);
    }
  };
}

function derived(made: unknown, secret: Secret | undefined): unknown {
  if (typeof made === 'string') return secret?.derive(made);
  return Array.isArray(made) ? made.map((item) => derived(item, secret)) : made;
}

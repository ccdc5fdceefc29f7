import { Environment } from '@marcbachmann/cel-js';
import { Secret } from '../base/secret.ts';
import { compareVersions } from './versions.ts';

/** Words that name types in CEL, so that no variable of that name can be read. */
export const celTypeNames: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'cel',
  'double',
  'dyn',
  'int',
  'list',
  'map',
  'null_type',
  'optional',
  'string',
  'type',
  'uint',
]);

/**
 * The functions, types and operators of expressions. Numbers of YAML and JSON are doubles, those that an expression
 * writes are ints: the mixed operators make that invisible.
 */
export function createCelEnvironment(): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: true,
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
  });
  for (const [operator, calculate] of Object.entries(arithmetic)) {
    const mixed = (a: number | bigint, b: number | bigint): number => calculate(Number(a), Number(b));
    environment.registerOperator(`int ${operator} double`, mixed);
    environment.registerOperator(`double ${operator} int`, mixed);
  }
  environment.registerOperator('double % double', (a: number, b: number) => a % b);
  environment.registerFunction('versionCompare(string, string): int', (a: string, b: string) =>
    BigInt(compareVersions(a, b)),
  );
  environment.registerFunction(
    'versionAtLeast(string, string): bool',
    (version: string, least: string) => compareVersions(version, least) >= 0,
  );
  registerText(environment);
  // Opaque: it can be passed on, and nothing else. Without the operator a comparison would be silently false.
  environment.registerType('Secret', Secret);
  environment.registerOperator('Secret == string', () => {
    throw new ExpressionFailure('a secret cannot be compared in an expression');
  });
  return environment;
}

/** What an expression does and we do not allow; gets its place where it is caught. */
export class ExpressionFailure extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

function registerText(environment: Environment): void {
  environment.registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
    text.split(from).join(to),
  );
}

import { Environment } from '@marcbachmann/cel-js';
import { compareVersions } from '../versions.ts';
import { registerSecrets } from './secrets.ts';

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
  const environment = createTextEnvironment();
  registerSecrets(environment, createTextEnvironment());
  return environment;
}

function createTextEnvironment(): Environment {
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
  return environment;
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

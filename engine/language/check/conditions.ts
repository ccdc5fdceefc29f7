import { placeInScalar } from '../place.ts';
import type { Expression, Value } from '../value.ts';
import { typeName } from './expression-types.ts';
import type { Findings } from './findings.ts';
import { findName, type Place } from './names.ts';
import type { Reader, Reading } from './references.ts';
import { describeShape, followPath, type Shape } from './shape.ts';

/** Checks that conditions are true or false, as far as the types of what they read are known. */
export function checkConditions(
  findings: Findings,
  reading: Reading,
  keyword: string,
  conditions: readonly Expression[],
): void {
  for (const condition of conditions) {
    const type = checkTypes(findings, reading, condition);
    if (type === undefined || type === 'bool' || type.includes('dyn')) continue;
    const lone = condition.references.length === 1 ? condition.references[0] : undefined;
    const shape = lone && lone.path.join('.') === condition.text.trim() ? shapeOfPath(reading, lone.path) : undefined;
    const what = shape ? describeShape(shape) : typeName(type);
    const isWord = typeof shape?.const === 'string' && /^(yes|no|on|off|true|false)$/i.test(shape.const);
    const hint = isWord ? wordHint(reading, lone?.path[0] ?? '') : 'compare it: x == "y", x > 0, size(x) > 0';
    const message = `${keyword} must be true or false, and this is ${what}`;
    findings.add('error', 'condition-type', condition.range, message, hint);
  }
}

/** Checks the types in the expressions of a value: `!expr`, and the conditions that a module takes. */
export function checkExpressionsIn(findings: Findings, reading: Reading, reader: Reader): void {
  if (!('parts' in reader || 'expression' in reader)) return;
  const { expression, parts = [] } = reader as Value;
  if (expression) checkTypes(findings, reading, expression);
  for (const part of parts) checkExpressionsIn(findings, reading, part);
}

/** The type of an expression; undefined when its types do not go together, which is noted. */
function checkTypes(findings: Findings, reading: Reading, expression: Expression): string | undefined {
  const { text, range } = expression;
  const found = reading.names.types.typeOf(text, (path) => shapeOfPath(reading, path));
  if ('type' in found) return found.type;
  const at = placeInScalar(range, text)(found.start, found.end);
  findings.add('error', 'expression-type', at, found.message, found.hint);
  return undefined;
}

function shapeOfPath(place: Place, path: readonly string[]): Shape {
  const end = followPath(findName(place, path[0] ?? '')?.shape(), path);
  return 'shape' in end ? end.shape : undefined;
}

function wordHint(place: Place, name: string): string {
  return Object.hasOwn(place.names.world.extraVars, name)
    ? `-e name=text gives a text: write -e '{"${name}": true}'`
    : 'write true or false without quotes where it is defined';
}

import type { Schema } from '../../module/schema.ts';
import type { Task } from '../playbook.ts';
import type { Value } from '../value.ts';
import type { Findings } from './findings.ts';
import { loneReference, shapeAt } from './names.ts';
import type { Reading } from './references.ts';
import { describeShape } from './shape.ts';

/** Checks arguments that are one `{{ x }}` against the module's schema, where it is known what x is. */
export function checkArgumentShapes(findings: Findings, place: Reading, { module, args }: Task): void {
  checkMap(findings, place, args, module.schema, module.name);
}

function checkMap(findings: Findings, place: Reading, map: Value, schema: Schema, module: string): void {
  const { parts = [], written } = map;
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return;
  for (const [i, name] of Object.keys(written).entries()) {
    const wanted = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    const value = parts[i];
    if (!wanted || !value) continue;
    if (value.parts) checkMap(findings, place, value, wanted, module);
    else checkOne(findings, place, { name, value, wanted, module });
  }
}

function checkOne(
  findings: Findings,
  place: Reading,
  argument: { readonly name: string; readonly value: Value; readonly wanted: Schema; readonly module: string },
): void {
  const { name, value, wanted, module } = argument;
  const lone = loneReference(value);
  const shape = lone && shapeAt(place, value);
  if (!shape?.type || isAccepted(shape, wanted)) return;
  const path = lone?.path.join('.') ?? name;
  // A condition that looks at it may keep the task from running.
  if (place.guards.some((condition) => condition.includes(path))) return;
  const what = `"${path}" is ${describeShape(shape)}`;
  const message = `${module}: "${name}" must be ${wantedText(wanted)}, and ${what}`;
  findings.add('error', 'argument-type', value.range, message, hintFor(shape, wanted, path));
}

function isAccepted(shape: Schema, wanted: Schema): boolean {
  if (wanted.format === 'expression') return true;
  const choices = [...(wanted.oneOf ?? []), ...(wanted.anyOf ?? [])];
  if (choices.length > 0) return choices.some((choice) => isAccepted(shape, choice));
  const { type } = wanted;
  if (type === undefined || type === shape.type) return true;
  if (type === 'number' || type === 'integer') return shape.type === 'integer' || shape.type === 'number';
  // A number or true of a lone template becomes a text where the module takes one.
  return type === 'string' && (shape.type === 'integer' || shape.type === 'number' || shape.type === 'boolean');
}

function wantedText({ type, oneOf, anyOf }: Schema): string {
  const choices = [...(oneOf ?? []), ...(anyOf ?? [])];
  if (choices.length > 0) return [...new Set(choices.map(wantedText))].join(' or ');
  if (type === 'integer') return 'a whole number';
  if (type === 'boolean') return 'true or false';
  if (type === 'array') return 'a list';
  if (type === 'object') return 'a map';
  return type === 'string' ? 'a text' : `a ${type ?? 'value'}`;
}

function hintFor(shape: Schema, wanted: Schema, path: string): string | undefined {
  if (shape.type !== 'string') return undefined;
  if (wanted.type === 'integer') return `make it one: !expr int(${path})`;
  if (wanted.type === 'number') return `make it one: !expr double(${path})`;
  return wanted.type === 'boolean' ? `compare it: !expr ${path} == "…"` : undefined;
}

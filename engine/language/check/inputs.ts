import { Secret } from '../../base/secret.ts';
import type { Validator } from '../../module/arguments.ts';
import type { ArgumentsSchema } from '../../module/schema.ts';
import type { Input, RoleUse } from '../playbook.ts';
import type { Value } from '../value.ts';
import type { Findings } from './findings.ts';
import { findName, type Place, type PlayNames } from './names.ts';

/** Checks the inputs of a play: each that is required has a value, and values that are written out fit. */
export function checkPlayInputs(findings: Findings, names: PlayNames): void {
  const place: Place = { names, vars: [], defaults: [], locals: new Map() };
  for (const input of names.play.inputs) checkInput(findings, place, input, 'play');
}

/** Checks the inputs of a role where it is used. */
export function checkRoleInputs(findings: Findings, place: Place, role: RoleUse): void {
  for (const input of role.inputs) checkInput(findings, place, input, role);
}

function checkInput(findings: Findings, place: Place, input: Input, of: 'play' | RoleUse): void {
  const { world } = place.names;
  const found = findName(place, input.name);
  const range = of === 'play' ? input.range : of.range;
  const what = of === 'play' ? `the input "${input.name}"` : `the input "${input.name}" of the role "${of.name}"`;
  if (!found) {
    // Whatever the hosts are, which is not known, may have it.
    if (!input.isRequired || (world.hasInventory && !place.names.inventory)) return;
    const severity = world.hasInventory ? 'error' : 'warning';
    return findings.add(severity, 'input', range, `${what} has no value`, howToGive(input, of));
  }
  const missing = input.isRequired ? (found.missingOn?.() ?? []) : [];
  if (missing.length > 0) {
    const hosts =
      missing.length > 3 ? `${missing.slice(0, 3).join(', ')} and ${missing.length - 3} more` : missing.join(', ');
    findings.add('error', 'input', range, `${what} has no value for ${hosts}`, howToGive(input, of));
  }
  if (Object.hasOwn(world.extraVars, input.name)) {
    const mistakes = mistakesIn(place.names.validator, input, world.extraVars[input.name]);
    for (const mistake of mistakes) findings.add('error', 'input', range, `-e ${input.name}: ${mistake}`);
  } else for (const value of found.values) checkValue(findings, place, input, value, what);
}

function checkValue(findings: Findings, place: Place, input: Input, value: Value, what: string): void {
  if (!value.isLiteral) return;
  for (const mistake of mistakesIn(place.names.validator, input, value.render({}))) {
    findings.add('error', 'input', value.range, `${what}: ${mistake}`);
  }
}

function mistakesIn(validator: Validator, { name, schema }: Input, value: unknown): readonly string[] {
  const whole: ArgumentsSchema = { type: 'object', properties: { [name]: schema } };
  if (value instanceof Secret) return [];
  // Defaults are filled in in place.
  return validator.check(whole, structuredClone({ [name]: value })).map(({ message }) => message);
}

function howToGive({ name, schema }: Input, of: 'play' | RoleUse): string {
  const example = schema.type === 'string' || schema.type === undefined ? 'TEXT' : exampleOf(schema.type);
  const where = of === 'play' ? 'or set it in the inventory' : `under "vars" of the role, or in the inventory`;
  return of === 'play' ? `give it with -e ${name}=${example}, ${where}` : `give it ${where}`;
}

function exampleOf(type: string): string {
  if (type === 'boolean') return 'true';
  return type === 'integer' || type === 'number' ? '3' : "'[…]'";
}

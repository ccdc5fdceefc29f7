import { RunbookError } from '../base/errors.ts';
import { formatRange } from '../base/source.ts';
import type { Block, Input, RoleUse } from '../language/playbook.ts';
import type { Scope } from '../language/value.ts';
import type { Validator } from '../module/arguments.ts';
import type { ArgumentsSchema } from '../module/schema.ts';
import { endWithoutRunning } from './across-hosts.ts';
import type { RunContext } from './context.ts';
import type { HostRun } from './host-run.ts';
import { verdictOfError } from './judgement.ts';
import type { Surroundings } from './surroundings.ts';

/** What does not fit in the values of inputs, in words. */
export type InputCheck = (inputs: readonly Input[], scope: Scope) => readonly string[];

/** Makes a check that compiles the schema of the same inputs once. */
export function createInputCheck(validator: Validator): InputCheck {
  const schemas = new WeakMap<readonly Input[], ArgumentsSchema>();
  return (inputs, scope) => {
    const schema = schemas.get(inputs) ?? schemaOf(inputs);
    schemas.set(inputs, schema);
    const given = inputs.filter(({ name }) => name in scope && scope[name] !== undefined);
    const values = Object.fromEntries(given.map(({ name }) => [name, scope[name]]));
    return validator.check(schema, values).map(({ message, path }) => {
      const [input = ''] = path;
      return path.length > 1 ? `"${input}": ${message}` : message;
    });
  };
}

function schemaOf(inputs: readonly Input[]): ArgumentsSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(inputs.map(({ name, schema }) => [name, schema])),
    required: inputs.filter(({ isRequired }) => isRequired).map(({ name }) => name),
  };
}

/** Checks a play's inputs on hosts that begin it; those on which they do not fit have failed. */
export function checkPlayInputs(context: RunContext, hosts: readonly HostRun[], surroundings: Surroundings): void {
  const { play } = surroundings;
  const uses = { id: `${play.id}/inputs`, what: 'the play', range: play.range, inputs: play.inputs };
  check(context, hosts, surroundings, { ...uses, defaults: [], vars: [] });
}

/** Checks a role's inputs on hosts that come to its first task; those on which they do not fit have failed. */
export function checkRoleInputs(
  context: RunContext,
  { id }: Block,
  role: RoleUse,
  hosts: readonly HostRun[],
  surroundings: Surroundings,
): void {
  const using = hosts.filter((host) => isUsed(context, role, host, surroundings));
  check(context, using, surroundings, { ...role, id: `${id}/inputs`, what: `the role "${role.name}"` });
}

/** A condition that fails is left to the tasks of the role, which ask it again and say so. */
function isUsed(context: RunContext, role: RoleUse, host: HostRun, surroundings: Surroundings): boolean {
  try {
    const scope = context.scopeOf(host, surroundings, role);
    return role.when.every((condition) => condition.test(scope));
  } catch {
    return false;
  }
}

interface InputUse extends Pick<RoleUse, 'range' | 'inputs' | 'defaults' | 'vars'> {
  readonly id: string;
  readonly what: string;
}

function check(context: RunContext, hosts: readonly HostRun[], surroundings: Surroundings, use: InputUse): void {
  if (use.inputs.length === 0) return;
  const name = `Inputs of ${use.what}`;
  const ref = { id: use.id, name, module: 'inputs', place: formatRange(use.range) };
  for (const host of hosts) {
    try {
      const mistakes = context.checkInputs(use.inputs, context.scopeOf(host, surroundings, use));
      if (mistakes.length === 0) continue;
      throw new RunbookError('task-failed', `the inputs of ${use.what} do not fit: ${mistakes.join('; ')}`);
    } catch (error) {
      const { result } = verdictOfError(error, { name });
      // What check mode cannot know is not judged.
      if (result.outcome !== 'unknown') endWithoutRunning(context, ref, [host], false, result);
    }
  }
}

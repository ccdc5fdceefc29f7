import type { ModuleDefinition } from './contract.ts';
import type { Schema } from './schema.ts';

/** The argument that a lone text in place of the map means: `command: ls -l`. Undefined where a module has none. */
export function loneArgumentOf({ schema, loneArgument }: ModuleDefinition): string | undefined {
  if (loneArgument !== undefined) return loneArgument;
  const [name, ...others] = schema.required ?? [];
  return name !== undefined && others.length === 0 && takesText(schema.properties[name]) ? name : undefined;
}

/** Whether a text can be what a schema describes. */
export function takesText(schema: Schema | undefined): boolean {
  return branchesOf(schema).some((branch) => branch.type === 'string' || branch.format !== undefined);
}

/** A schema and the choices in it. */
export function branchesOf(schema: Schema | undefined): readonly Schema[] {
  if (!schema) return [];
  return [schema, ...[...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].flatMap(branchesOf)];
}

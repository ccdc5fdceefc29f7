import type { Playbook } from '../language/playbook.ts';
import type { Schema } from '../module/schema.ts';

/**
 * The values of `-e` with the types that the inputs of their names declare: `-e count=3` is a text, and a number where the
 * input is one. A text that is no such value stays a text, which the check refuses.
 */
export function typedExtraVars(
  { plays }: Pick<Playbook, 'plays'>,
  extraVars: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const inputs = new Map(plays.flatMap((play) => play.inputs.map((input) => [input.name, input] as const)));
  const entries = Object.entries(extraVars).map(([name, value]) => {
    const schema = inputs.get(name)?.schema;
    return [name, schema && typeof value === 'string' ? typed(value, schema) : value] as const;
  });
  return Object.fromEntries(entries);
}

function typed(text: string, schema: Schema): unknown {
  const { type } = schema;
  if (type === undefined || type === 'string') return text;
  try {
    const value: unknown = JSON.parse(text);
    return isOfType(value, type) ? value : text;
  } catch {
    return text;
  }
}

function isOfType(value: unknown, type: NonNullable<Schema['type']>): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'null') return value === null;
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

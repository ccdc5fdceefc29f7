import { didYouMean } from '../../base/diagnostic.ts';
import { errorMessage } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import type { Range } from '../../base/source.ts';
import type { ArgumentsSchema } from '../../module/schema.ts';
import { compileNode } from '../compile.ts';
import type { Input } from '../playbook.ts';
import type { Value, Variables } from '../value.ts';
import { describeNode, entryOf, type YamlMap, type YamlNode } from '../yaml.ts';
import { attempt, type LoadContext, report } from './context.ts';
import { checkVariableName, isNothing } from './fields.ts';
import { checkInputDeclaration, schemaOf } from './input-schema.ts';

/** Typed inputs, and the values that they have unless others are given. */
export interface DeclaredInputs {
  readonly inputs: readonly Input[];
  readonly defaults: Variables;
  /** Of a map of all of them. */
  readonly schema: ArgumentsSchema;
}

/** None are declared. */
export function noInputs(): DeclaredInputs {
  return { inputs: [], defaults: new Map(), schema: { type: 'object', properties: {} } };
}

/** Reads the declarations of inputs: a map of names. */
export function readInputs(context: LoadContext, node: YamlNode): DeclaredInputs {
  if (isNothing(node)) return noInputs();
  if (node.kind !== 'map') {
    report(context, node.range, `inputs must be a map of names, not ${describeNode(node)}`, form);
    return noInputs();
  }
  const defaults = new Map<string, Value>();
  const inputs = node.entries.flatMap(({ key, keyRange, value }): Input[] => {
    if (!checkVariableName(context, key, keyRange)) return [];
    if (value.kind !== 'map') {
      report(context, value.range, `the input "${key}" must be a map, not ${describeNode(value)}`, form);
      return [];
    }
    const input = readInput(context, key, keyRange, value);
    const standard = entryOf(value, 'default');
    const compiled = standard && attempt(context, () => compileNode(standard.value, context.cache));
    if (!input) return [];
    if (compiled) defaults.set(key, compiled);
    return [input];
  });
  return declare(context, node.range, inputs, defaults);
}

const form = 'write NAME: {type: string, description: …}';

function readInput(context: LoadContext, name: string, range: Range, map: YamlMap): Input | undefined {
  const before = context.diagnostics.length;
  checkInputDeclaration(context, map, `the input "${name}"`);
  const isUnderstood = context.diagnostics.length === before;
  if (isUnderstood && !['type', 'enum', 'const', 'oneOf', 'anyOf'].some((key) => entryOf(map, key))) {
    report(context, range, `the input "${name}" has no type`, form);
  }
  const required = entryOf(map, 'required')?.value;
  const isRequired = required?.kind === 'scalar' && required.value === true;
  const standard = entryOf(map, 'default');
  if (isRequired && standard) {
    report(context, standard.keyRange, `the input "${name}" is required, so that its default is never used`);
  }
  if (context.diagnostics.length > before) return undefined;
  return { name, range, schema: schemaOf(map), isRequired: !standard && (!required || isRequired) };
}

/** Checks the declarations as a whole. Defaults that are written out have to fit, and are a part of the schema. */
function declare(
  context: LoadContext,
  range: Range,
  inputs: readonly Input[],
  defaults: Map<string, Value>,
): DeclaredInputs {
  const whole = inputs.map((input): Input => {
    const standard = defaults.get(input.name);
    return standard?.isLiteral ? { ...input, schema: { ...input.schema, default: standard.render({}) } } : input;
  });
  const properties = Object.fromEntries(whole.map(({ name, schema }) => [name, schema]));
  const declared: DeclaredInputs = { inputs: whole, defaults, schema: { type: 'object', properties } };
  try {
    for (const { value, message } of mistakesIn(context, declared, defaults)) {
      report(context, value.range, `the default does not fit: ${message}`);
    }
    return declared;
  } catch (error) {
    // What the words by themselves do not show, such as a default in a branch of anyOf.
    report(context, range, `the inputs are no JSON Schema: ${errorMessage(error)}`);
    return noInputs();
  }
}

/** Checks variables that are given for inputs, as far as they are written out. `others` can be given, too. */
export function checkGiven(
  context: LoadContext,
  declared: DeclaredInputs,
  given: Variables,
  others: Iterable<string>,
  what: string,
): void {
  const known = [...Object.keys(declared.schema.properties), ...others];
  for (const { value, message } of mistakesIn(context, declared, given)) report(context, value.range, message);
  for (const [name, value] of given) {
    if (known.includes(name)) continue;
    const hint = didYouMean(name, known) ?? (known.length > 0 ? `it takes: ${known.join(', ')}` : undefined);
    report(context, value.range, `${what} has no input "${name}"`, hint);
  }
}

/** What does not fit in the values that are written out. */
function mistakesIn(
  context: LoadContext,
  { inputs, schema }: DeclaredInputs,
  given: Variables,
): { value: Value; message: string }[] {
  if (inputs.length === 0) return [];
  const written = inputs.flatMap(({ name }) => {
    const value = given.get(name);
    return value?.isLiteral ? [[name, clear(value.render({}))] as const] : [];
  });
  return context.validator.check(schema, Object.fromEntries(written)).flatMap(({ path, message }) => {
    const value = given.get(path[0] ?? '');
    if (!value) return [];
    // Of a secret nobody learns what it is.
    const isSecret = value.render({}) instanceof Secret;
    return [{ value, message: isSecret ? `"${path[0]}" does not fit, and it is a secret` : message }];
  });
}

function clear(data: unknown): unknown {
  return data instanceof Secret ? data.reveal() : data;
}

import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { didYouMean } from '../base/diagnostic.ts';
import { Secret } from '../base/secret.ts';
import { shortDigest } from '../base/short-digest.ts';
import { checkRevealed, secretArguments } from './argument-secrets.ts';
import type { ModuleDefinition } from './contract.ts';
import { precompiled } from './precompiled.ts';
import type { Schema } from './schema.ts';

/** One mistake in a value that a schema describes. */
export interface SchemaMistake {
  /** Keys and indexes from the value's root to the mistake. */
  readonly path: readonly string[];
  /** `key` when the name itself is wrong (an unknown argument), else `value`. */
  readonly at: 'key' | 'value';
  readonly message: string;
  readonly hint?: string;
}

/** Checks values against schemas; compiles each schema once. */
export interface Validator {
  /**
   * The mistakes in `value`, all of them; `[]` when it is fine. Defaults are filled in: `value` is changed in place.
   * `skip` names paths (joined by `/`) whose values are not known yet, so that only their names are checked.
   */
  check(schema: Schema, value: Record<string, unknown>, skip?: ReadonlySet<string>): SchemaMistake[];
}

/**
 * Makes a validator. Compiling a schema costs some milliseconds, once, when it is first used; those of built-in modules are
 * compiled by the build. `checksSchemas`: whether schemas are checked themselves, which costs some tens more; a module's was
 * checked when it was loaded.
 */
export function createValidator({ checksSchemas = false } = {}): Validator {
  let ajv: Ajv | undefined;
  const compiled = new Map<Schema, ValidateFunction>();
  const compile = (schema: Schema): ValidateFunction => {
    const known = checksSchemas ? undefined : precompiled[schemaKey(schema)];
    if (known) return known;
    ajv ??= createAjv({ meta: checksSchemas, validateSchema: checksSchemas });
    return ajv.compile(forAjv(schema));
  };
  return {
    check(schema, value, skip = new Set()) {
      const validate = compiled.get(schema) ?? compile(schema);
      compiled.set(schema, validate);
      const { result, secrets } = checkRevealed(schema, value, () => (validate(value) ? [] : validate.errors));
      const refused = secrets.filter((secret) => !secret.isDeclared).map(({ path }) => refuseSecret(schema, path));
      if ((result ?? []).length === 0) return refused;
      return [...refused, ...describe(result ?? [], skip, new Set(secrets.map(({ path }) => path.join('/'))))];
    },
  };
}

/** What compiles schemas, with the settings that {@link Validator.check} relies on. */
export function createAjv(options: Options): Ajv {
  return new Ajv({
    allErrors: true,
    strict: true,
    // A property may list an enum without repeating its type.
    strictTypes: false,
    allowUnionTypes: true,
    useDefaults: true,
    verbose: true,
    meta: false,
    validateSchema: false,
    ...options,
    // Optimizing the code of a schema takes longer than the few checks that follow could save.
    code: { optimize: false, ...options.code },
  });
}

/** Under which name a schema's validator is kept: another one for another schema. */
export function schemaKey(schema: Schema): string {
  return `schema-${shortDigest(JSON.stringify(schema))}`;
}

/**
 * The schema as ajv is to see it: an argument of `format: 'expression'` is text before the run and `{ text, value }` in it,
 * and the language floor has checked it already.
 */
export function forAjv(schema: Schema): Schema {
  // What it makes of a schema is one.
  return withoutExpressions(schema) as Schema;
}

function withoutExpressions(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutExpressions);
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('format' in schema && schema.format === 'expression') return { type: ['string', 'object'] };
  const isOurs = (key: string, value: unknown): boolean =>
    (key === 'format' && value === 'template') || (key === 'secret' && typeof value === 'boolean');
  const entries = Object.entries(schema).filter(([key, value]) => !isOurs(key, value));
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutExpressions(value)]));
}

/** Checks a module's arguments and fills in defaults: by its schema, then by its own `check`. See {@link Validator.check}. */
export function checkArguments(
  validator: Validator,
  module: ModuleDefinition,
  args: Record<string, unknown>,
  skip?: ReadonlySet<string>,
): SchemaMistake[] {
  const mistakes = validator.check(module.schema, args, skip);
  // Values that are not known yet would be judged as what stands in for them: those arguments are checked when they are.
  if (mistakes.length > 0 || (skip && skip.size > 0)) return mistakes;
  // The schema was just found to be satisfied.
  const found = module.check?.(args as never) ?? [];
  return found.map((message) => ({ path: [], at: 'value', message }));
}

function refuseSecret(schema: Schema, path: readonly string[]): SchemaMistake {
  const names = secretArguments(schema);
  const hint = names.length > 0 ? `secrets are for: ${names.join(', ')}` : 'no argument of this module takes secrets';
  const name = path.findLast((key) => !/^\d+$/.test(key)) ?? '';
  return { path, at: 'value', message: `"${name}" cannot be a secret, which would be seen there`, hint };
}

function describe(
  errors: readonly ErrorObject[],
  skip: ReadonlySet<string>,
  secrets: ReadonlySet<string>,
): SchemaMistake[] {
  const mistakes = new Map<string, SchemaMistake>();
  for (const found of errors) {
    const path = found.instancePath.split('/').slice(1).map(unescapePointer);
    const error = secrets.has(path.join('/')) ? { ...found, data: new Secret('') } : found;
    // A branch of a choice says less than the choice itself.
    if (/\/(oneOf|anyOf)\/\d+\//.test(error.schemaPath) && errors.some((e) => isChoiceAbove(e, error))) continue;
    const mistake = describeOne(error, path);
    const at = mistake.path.join('/');
    const isHidden = [...skip].some((s) => at === s || at.startsWith(`${s}/`));
    if (isHidden && error.keyword !== 'additionalProperties') continue;
    const id = `${at} ${mistake.message}`;
    if (!mistakes.has(id)) mistakes.set(id, mistake);
  }
  return [...mistakes.values()];
}

function isChoiceAbove(choice: ErrorObject, branch: ErrorObject): boolean {
  const isChoice = choice.keyword === 'oneOf' || choice.keyword === 'anyOf';
  return isChoice && branch.schemaPath.startsWith(`${choice.schemaPath}/`);
}

function describeOne(error: ErrorObject, path: readonly string[]): SchemaMistake {
  const name = path.at(-1);
  const it = name === undefined ? 'the arguments' : `"${name}"`;
  const params = error.params as Record<string, unknown>;
  const schema = (error.parentSchema ?? {}) as Schema;
  switch (error.keyword) {
    case 'additionalProperties': {
      const unknownName = String(params.additionalProperty);
      const known = Object.keys(schema.properties ?? {});
      const hint = didYouMean(unknownName, known) ?? (known.length > 0 ? `it takes: ${known.join(', ')}` : undefined);
      return {
        path: [...path, unknownName],
        at: 'key',
        message: `unknown argument "${unknownName}"`,
        ...(hint && { hint }),
      };
    }
    case 'required':
      return { path, at: 'value', message: `"${String(params.missingProperty)}" is required` };
    case 'type':
      return {
        path,
        at: 'value',
        message: `${it} must be ${article(String(params.type))}, not ${show(error.data)}`,
        ...hintForType(schema, error.data),
      };
    case 'enum': {
      const allowed = (params.allowedValues as unknown[]).map(String);
      const hint = typeof error.data === 'string' ? didYouMean(error.data, allowed) : undefined;
      return {
        path,
        at: 'value',
        message: `${it} must be one of ${allowed.join(', ')}, not ${show(error.data)}`,
        ...(hint && { hint }),
      };
    }
    case 'pattern':
      return {
        path,
        at: 'value',
        message: `${it} must look like ${String(params.pattern)}, not ${show(error.data)}`,
        ...(schema.description && { hint: schema.description }),
      };
    case 'oneOf':
    case 'anyOf': {
      const branches = (schema.oneOf ?? schema.anyOf ?? []).map(
        (s) => [s.type].flat()[0] ?? (s.enum ? s.enum.join('|') : 'map'),
      );
      return {
        path,
        at: 'value',
        message: `${it} must be ${branches.map(article).join(' or ')}, not ${show(error.data)}`,
      };
    }
    default:
      return { path, at: 'value', message: `${it} ${error.message ?? 'is not valid'}` };
  }
}

function hintForType(schema: Schema, data: unknown): { hint?: string } {
  if (schema.type === 'boolean' && typeof data === 'string' && /^(yes|no|on|off)$/i.test(data)) {
    return { hint: 'write true or false: YAML 1.2 reads yes, no, on and off as text' };
  }
  if (schema.type === 'string' && typeof data === 'number') return { hint: 'put it in quotes' };
  return {};
}

function article(type: string): string {
  if (type === 'array') return 'a list';
  if (type === 'object') return 'a map';
  if (type === 'integer') return 'a whole number';
  if (type === 'string') return 'a string';
  if (type === 'boolean') return 'true or false';
  return `a ${type}`;
}

function show(data: unknown): string {
  if (data instanceof Secret) return 'this secret';
  const text = JSON.stringify(data) ?? String(data);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

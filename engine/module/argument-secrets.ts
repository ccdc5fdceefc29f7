import { isProxy } from 'node:util/types';
import { Secret } from '../base/secret.ts';
import type { Schema } from './schema.ts';

/** A secret in a module's arguments. */
export interface ArgumentSecret {
  /** Keys and indexes from the arguments' root. */
  readonly path: readonly string[];
  /** The schema lets a secret stand here. */
  readonly isDeclared: boolean;
}

/**
 * Shows the texts of the secrets in some arguments to a check that knows only plain data. They are secrets again when this
 * returns, also for those who were given a map that holds one.
 */
export function checkRevealed<T>(
  schema: Schema,
  args: Record<string, unknown>,
  check: () => T,
): { readonly result: T; readonly secrets: readonly ArgumentSecret[] } {
  const found = [...findSecrets(args, [])];
  for (const { owner, key, secret } of found) Reflect.set(owner, key, secret.reveal());
  try {
    const result = check();
    return { result, secrets: found.map(({ path }) => ({ path, isDeclared: isDeclared(schema, path) })) };
  } finally {
    for (const { owner, key, secret } of found) Reflect.set(owner, key, secret);
  }
}

/** Where a schema lets secrets stand, for a hint: `content`, `environment`. */
export function secretArguments(schema: Schema): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => (takesSecret(property) ? [name] : []));
}

interface Found {
  readonly owner: object;
  readonly key: string;
  readonly secret: Secret;
  readonly path: readonly string[];
}

function* findSecrets(owner: object, path: readonly string[]): Generator<Found> {
  for (const key of Object.keys(owner)) {
    const value: unknown = Reflect.get(owner, key);
    if (value instanceof Secret) yield { owner, key, secret: value, path: [...path, key] };
    // A proxy knows which of its fields are unknown; other instances are no plain data.
    else if (isPlain(value)) yield* findSecrets(value, [...path, key]);
  }
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || isProxy(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || prototype === Object.prototype;
}

function isDeclared(schema: Schema, path: readonly string[]): boolean {
  let branches = branchesOf(schema);
  for (const key of path) {
    if (branches.some((branch) => branch.secret)) return true;
    branches = branches.flatMap((branch) => branchesOf(inside(branch, key)));
  }
  return branches.some((branch) => branch.secret);
}

function inside(schema: Schema, key: string): Schema | undefined {
  if (schema.properties && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  if (schema.items) return schema.items;
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

function takesSecret(schema: Schema): boolean {
  return branchesOf(schema).some((branch) => {
    const inner = [...Object.values(branch.properties ?? {}), branch.items, branch.additionalProperties];
    return branch.secret || inner.some((part) => typeof part === 'object' && takesSecret(part));
  });
}

/** A schema and the choices in it. */
function branchesOf(schema: Schema | undefined): readonly Schema[] {
  if (!schema) return [];
  return [schema, ...[...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].flatMap(branchesOf)];
}

import { Secret } from '../../base/secret.ts';
import type { Schema } from '../../module/schema.ts';

/** What is known of a value without a host: a JSON Schema. Undefined where nothing is known. */
export type Shape = Schema | undefined;

/** A map in which every key is known. */
export function closedMap(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', properties, additionalProperties: false };
}

/** The shape of data as it stands in a file, where templates and `!expr` are their text. See `Value.written`. */
export function shapeOf(written: unknown): Shape {
  switch (typeof written) {
    case 'string':
      return shapeOfText(written);
    case 'number':
      return { type: Number.isInteger(written) ? 'integer' : 'number', const: written };
    case 'boolean':
      return { type: 'boolean', const: written };
    case 'object':
      return shapeOfObject(written);
    default:
      return undefined;
  }
}

/** What two values have in common; undefined when that is nothing. */
export function commonShape(a: Shape, b: Shape): Shape {
  if (a === b) return a;
  if (a?.type === undefined || b?.type === undefined) return undefined;
  const isNumber = (shape: Schema): boolean => shape.type === 'integer' || shape.type === 'number';
  if (isNumber(a) && isNumber(b)) return { type: 'number' };
  // Of maps that differ, a key that one of them lacks may be there.
  return a.type === b.type ? { type: a.type } : undefined;
}

/** Where a path of names ends in a shape, or the first of its names that cannot be there. */
export type PathEnd =
  | { readonly shape: Shape }
  | { readonly missing: number; readonly owner: Schema; readonly known: readonly string[] };

/** Follows a path below a value of some shape. `path[0]` is the value's own name. */
export function followPath(shape: Shape, path: readonly string[]): PathEnd {
  let here = shape;
  for (let i = 1; i < path.length && here; i++) {
    const key = path[i] ?? '';
    if (isLeaf(here) || (here.type === 'array' && !isListKey(key))) return { missing: i, owner: here, known: [] };
    if (here.type === 'array') {
      here = key === 'length' ? { type: 'integer' } : here.items;
      continue;
    }
    const properties: Readonly<Record<string, Schema>> = here.properties ?? {};
    if (Object.hasOwn(properties, key)) here = properties[key];
    else if (here.additionalProperties === false) return { missing: i, owner: here, known: Object.keys(properties) };
    else here = typeof here.additionalProperties === 'object' ? here.additionalProperties : undefined;
  }
  return { shape: here };
}

/** What a value is, for error messages: `the text "yes"`, `a number`, `a list`. */
export function describeShape(shape: Schema): string {
  const { type, const: constant } = shape;
  if (type === 'string') return typeof constant === 'string' ? `the text ${quoted(constant)}` : 'a text';
  if (type === 'integer' || type === 'number')
    return constant === undefined ? 'a number' : `the number ${String(constant)}`;
  if (type === 'boolean') return constant === undefined ? 'true or false' : String(constant);
  if (type === 'array') return 'a list';
  return type === 'null' ? 'null' : 'a map';
}

function shapeOfText(text: string): Shape {
  if (text.startsWith('!expr ') || isLoneTemplate(text)) return undefined;
  return text.includes('{{') ? { type: 'string' } : { type: 'string', const: text };
}

/** A lone `{{ x }}` keeps the type of its value. */
function isLoneTemplate(text: string): boolean {
  return text.startsWith('{{') && text.endsWith('}}') && text.indexOf('{{', 2) === -1;
}

function shapeOfObject(written: object | null): Shape {
  if (written === null) return { type: 'null' };
  if (written instanceof Secret) return undefined;
  if (Array.isArray(written)) {
    const items = written.map(shapeOf);
    const item = items.every((shape) => shape !== undefined) ? items.reduce(commonShape, items[0]) : undefined;
    return { type: 'array', ...(item && { items: item.const === undefined ? item : { type: item.type ?? 'null' } }) };
  }
  const properties = Object.entries(written).map(([key, value]) => [key, shapeOf(value) ?? {}] as const);
  return closedMap(Object.fromEntries(properties));
}

function isLeaf({ type }: Schema): boolean {
  return type === 'string' || type === 'integer' || type === 'number' || type === 'boolean' || type === 'null';
}

function isListKey(key: string): boolean {
  return /^\d+$/.test(key) || key === 'length';
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);
}

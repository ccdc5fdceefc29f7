import { failure } from '../../../engine/index.ts';
import { formatKeyPath, type KeyPath } from './key-path.ts';

/** A file's content as data. */
export type Data = Readonly<Record<string, unknown>>;

/** One key that gets another value; `after` is undefined for a key that is removed. */
export interface Edit {
  readonly keys: KeyPath;
  readonly before: unknown;
  readonly after: unknown;
}

/** A file format that can be edited with everything kept that is not edited. */
export interface ConfigFormat {
  readonly name: string;
  /** Raises a {@link SyntaxMistake}. */
  read(text: string): Data;
  /** What a value is once it is in a file of this format; raises a failure for what cannot be in one. */
  normalise(keys: KeyPath, value: unknown): unknown;
  /** Raises a failure when a text has the key in a way in which it cannot be told what it is. */
  readonly refuse?: (text: string, edit: Pick<Edit, 'keys'>) => void;
  /** Ways to write the edits, the most careful first; the first one whose result reads as it must is taken. */
  rewrites(text: string, edits: readonly Edit[]): readonly (() => string)[];
}

/** A file that cannot be parsed. */
export class SyntaxMistake extends Error {
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor(message: string, line?: number, column?: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

/** What to set and to remove. */
export interface Wanted {
  readonly set: Data;
  readonly remove: readonly KeyPath[];
}

/** The keys that differ, in the order in which they are wanted. */
export function findEdits(data: Data, wanted: Wanted, format: ConfigFormat): Edit[] {
  const edits: Edit[] = [];
  for (const keys of wanted.remove) {
    const before = valueAt(data, keys);
    if (before !== undefined) edits.push({ keys, before, after: undefined });
  }
  collect(data, wanted.set, [], format, edits);
  return edits;
}

function collect(data: unknown, set: Data, above: KeyPath, format: ConfigFormat, edits: Edit[]): void {
  for (const [key, value] of Object.entries(set)) {
    const keys = [...above, key];
    const before = isMap(data) && Object.hasOwn(data, key) ? data[key] : undefined;
    if (isMap(value) && Object.keys(value).length > 0) {
      // An empty value (`kubelet:` in YAML) can take keys, another one would be lost.
      if (before !== undefined && before !== null && !isMap(before)) {
        throw failure(
          `${formatKeyPath(keys)} is ${describe(before)} in the file, so no keys can be set in it; remove it first`,
        );
      }
      collect(before, value, keys, format, edits);
      continue;
    }
    if (isMap(value)) {
      if (!isMap(before)) edits.push({ keys, before, after: {} });
      continue;
    }
    const after = format.normalise(keys, value);
    if (isMap(before)) {
      throw failure(`${formatKeyPath(keys)} holds other keys in the file and would be lost; remove it first`);
    }
    if (!isEqual(before, after)) edits.push({ keys, before, after });
  }
}

/** The text with the edits in it. Fails rather than to write something that does not read as it must. */
export function rewrite(text: string, edits: readonly Edit[], format: ConfigFormat): string {
  if (edits.length === 0) return text;
  const wanted = applyEdits(format.read(text), edits);
  const reasons: string[] = [];
  for (const attempt of format.rewrites(text, edits)) {
    try {
      const rewritten = attempt();
      if (isEqual(format.read(rewritten), wanted)) return rewritten;
      reasons.push('the result would not read as it must');
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  const keys = edits.map((edit) => formatKeyPath(edit.keys)).join(', ');
  throw failure(
    `this ${format.name} file cannot be edited without harm to the rest of it (${keys}); write it as a whole with file-template`,
    reasons.join('\n'),
  );
}

/** The value at a path, or undefined. */
export function valueAt(data: unknown, keys: KeyPath): unknown {
  let value = data;
  for (const key of keys) {
    if (!isMap(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** The data after the edits. */
export function applyEdits(data: Data, edits: readonly Edit[]): Record<string, unknown> {
  const copy = clone(data) as Record<string, unknown>;
  for (const { keys, after } of edits) {
    let map = copy;
    for (const key of keys.slice(0, -1)) {
      const inner = Object.hasOwn(map, key) ? map[key] : undefined;
      const next = isMap(inner) ? (inner as Record<string, unknown>) : {};
      define(map, key, next);
      map = next;
    }
    const last = keys.at(-1) ?? '';
    if (after === undefined) delete map[last];
    else define(map, last, clone(after));
  }
  return copy;
}

/** Edits that make a whole missing part at once, for formats in which keys of one part stand together. */
export function joinEdits(data: Data, edits: readonly Edit[]): Edit[] {
  const joined = new Map<string, Edit>();
  for (const edit of edits) {
    const keys = edit.after === undefined ? edit.keys : upToMissing(data, edit.keys);
    const id = JSON.stringify(keys);
    const value = nest(edit.keys.slice(keys.length), edit.after);
    const known = joined.get(id);
    const after = known && edit.after !== undefined ? merge(known.after, value) : value;
    joined.set(id, { keys, before: valueAt(data, keys), after });
  }
  return [...joined.values()];
}

/** True for a map with plain keys: no list, no date. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Deep equality of configuration data; a whole number is equal to itself as a bigint. */
function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a === 'bigint' || typeof b === 'bigint') return isNumeric(a) && isNumeric(b) && String(a) === String(b);
  if (a instanceof Date || b instanceof Date) {
    return a instanceof Date && b instanceof Date && a.toISOString() === b.toISOString();
  }
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => isEqual(item, b[i]));
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]));
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'bigint' || typeof value === 'number';
}

function upToMissing(data: Data, keys: KeyPath): KeyPath {
  let value: unknown = data;
  for (const [i, key] of keys.entries()) {
    if (!isMap(value)) return keys.slice(0, Math.max(i, 1));
    value = Object.hasOwn(value, key) ? value[key] : undefined;
    if (value === undefined || value === null) return keys.slice(0, i + 1);
  }
  return keys;
}

function nest(keys: KeyPath, value: unknown): unknown {
  return keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}

function merge(a: unknown, b: unknown): unknown {
  if (!isMap(a) || !isMap(b)) return b;
  const merged: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b))
    define(merged, key, Object.hasOwn(a, key) ? merge(a[key], value) : value);
  return merged;
}

function clone(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clone);
  if (!isMap(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) define(copy, key, clone(inner));
  return copy;
}

/** As an own property, whatever its name is: `__proto__` is a key like others in a file. */
function define(map: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return JSON.stringify(value) ?? String(value);
}

import { type Change, failure } from '../../../engine/index.ts';
import { type ConfigFormat, type Data, type Edit, findEdits, rewrite, SyntaxMistake, valueAt } from './edit.ts';
import { editFlags, type FlagChange, type WantedFlags } from './flags.ts';
import { formatKeyPath, type KeyPath } from './key-path.ts';

/** What a configuration file must hold. */
export interface WantedConfig {
  readonly set: Data;
  readonly remove: readonly KeyPath[];
  readonly flags?: (WantedFlags & { readonly variable: string }) | undefined;
  /** No line of the file is shown. */
  readonly isSecret?: boolean;
  /** Whether a variable that holds flags may be made. */
  readonly create: boolean;
}

/** The text that a file must have, and what differs key by key. */
export interface ConfigPlan {
  readonly text: string;
  readonly changes: readonly Change[];
}

/** Compares and edits; the text comes back byte for byte when nothing differs. */
export function planConfig(path: string, text: string, wanted: WantedConfig, format: ConfigFormat): ConfigPlan {
  const data = readOrFail(path, text, wanted, format);
  for (const keys of [...leafPaths(wanted.set), ...wanted.remove]) format.refuse?.(text, { keys });
  const edits = findEdits(data, wanted, format);
  const flags = wanted.flags ? planFlags(path, text, data, wanted.flags, wanted.create, format) : undefined;
  const all = flags?.edit ? [...edits, flags.edit] : edits;
  return {
    text: rewrite(text, all, format),
    changes: [...edits.map(changeOf), ...(flags?.changes ?? [])],
  };
}

function readOrFail(path: string, text: string, { isSecret }: WantedConfig, format: ConfigFormat): Data {
  try {
    return format.read(text);
  } catch (error) {
    if (!(error instanceof SyntaxMistake)) throw error;
    const place =
      error.line === undefined ? '' : `:${error.line}${error.column === undefined ? '' : `:${error.column}`}`;
    const line = error.line === undefined || isSecret ? '' : (text.split('\n')[error.line - 1] ?? '');
    throw failure(`${path}${place} cannot be read as ${format.name}, so it is not edited: ${error.message}`, line);
  }
}

function planFlags(
  path: string,
  text: string,
  data: Data,
  wanted: WantedFlags & { readonly variable: string },
  isCreated: boolean,
  format: ConfigFormat,
): { edit?: Edit; changes: Change[] } {
  const keys = [wanted.variable];
  format.refuse?.(text, { keys });
  const before = valueAt(data, keys);
  if (before === undefined && !isCreated)
    throw failure(`${path} sets no variable ${wanted.variable}; create: true makes it`);
  const { value, changes } = editFlags(typeof before === 'string' ? before : '', wanted);
  if (changes.length === 0) return { changes: [] };
  return {
    edit: { keys, before, after: value },
    changes: changes.map((change) => flagChange(wanted.variable, change)),
  };
}

function flagChange(variable: string, { name, before, after }: FlagChange): Change {
  return { path: `${variable} ${name}`, before, after };
}

function changeOf({ keys, before, after }: Edit): Change {
  return { path: formatKeyPath(keys), before: plain(before), after: plain(after) };
}

/** JSON-like data: what JSON has no notation for becomes text. */
function plain(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** The paths of all values in a map. */
export function leafPaths(map: Data): KeyPath[] {
  return Object.entries(map).flatMap(([key, value]): KeyPath[] => {
    const isInner =
      typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
    return isInner ? leafPaths(value as Data).map((rest) => [key, ...rest]) : [[key]];
  });
}

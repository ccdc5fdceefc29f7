import { parse as parseWithLayout, patch } from '@decimalturn/toml-patch';
import { parse, stringify, TomlError } from 'smol-toml';
import { failure } from '../../../engine/index.ts';
import { applyEdits, type ConfigFormat, type Data, type Edit, isMap, SyntaxMistake, valueAt } from './edit.ts';
import { formatKeyPath, type KeyPath } from './key-path.ts';

/**
 * TOML. toml-patch keeps comments and layout but is young (it throws for some arrays of tables), so what it writes is
 * read back with smol-toml, which is the one that says what a text means.
 */
export const toml: ConfigFormat = {
  name: 'TOML',
  read,
  normalise: (keys, value) => {
    if (value === null) throw failure(`${formatKeyPath(keys)}: TOML has no null; use "remove" to remove a key`);
    return value;
  },
  rewrites: (text, edits) => [() => withNewTables(text, edits), () => patched(text, edits)],
};

function read(text: string): Data {
  try {
    return parse(text, { integersAsBigInt: 'asNeeded' });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const message = error.message.replace(/^Invalid TOML document: /, '').split('\n', 1)[0] ?? '';
    throw new SyntaxMistake(message, error.line, error.column);
  }
}

/** Keys of tables that are not there become tables of their own at the end; toml-patch would write them inline. */
function withNewTables(text: string, edits: readonly Edit[]): string {
  const data = read(text);
  const tables = new Map<string, { keys: KeyPath; lines: string[] }>();
  const others: Edit[] = [];
  for (const edit of edits) {
    const isTable = isMap(edit.after);
    const table = isTable ? edit.keys : edit.keys.slice(0, -1);
    const isNew = edit.after !== undefined && table.length > 0 && !isMap(valueAt(data, table));
    if (!isNew) {
      others.push(edit);
      continue;
    }
    const id = JSON.stringify(table);
    const entry = tables.get(id) ?? { keys: table, lines: [] };
    tables.set(id, entry);
    if (!isTable) entry.lines.push(`${tomlKey(edit.keys.at(-1) ?? '')} = ${inline(edit.after)}`);
  }
  let result = patched(text, others);
  for (const { keys, lines } of tables.values()) {
    const gap = result === '' ? '' : result.endsWith('\n') ? '\n' : '\n\n';
    result += `${gap}${[`[${keys.map(tomlKey).join('.')}]`, ...lines].join('\n')}\n`;
  }
  return result;
}

function patched(text: string, edits: readonly Edit[]): string {
  if (edits.length === 0) return text;
  // Its own parser makes the unchanged values, so that its dates stay as they are written.
  return patch(text, applyEdits(parseWithLayout(text) as Data, edits));
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (isMap(value)) {
    const entries = Object.entries(value).map(([key, inner]) => `${tomlKey(key)} = ${inline(inner)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  return stringify({ k: value }).trim().replace(/^k = /, '');
}

function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : inline(key);
}

import { readFile } from 'node:fs/promises';
import { errorMessage, fileProblem, RunbookError } from '../base/errors.ts';

/** Reads the values of `-e`, the later over the earlier: `name=text`, `@file.yaml`, `{"json": true}`. */
export async function readExtraVars(values: readonly string[]): Promise<Record<string, unknown>> {
  const vars: Record<string, unknown> = {};
  for (const value of values) Object.assign(vars, await readOne(value));
  if (values.length === 0) return vars;
  const { providedNames } = await import('../language/fields.ts');
  const provided = Object.keys(vars).find((name) => providedNames.has(name));
  if (provided === undefined) return vars;
  throw new RunbookError('usage', `-e: "${provided}" is provided by the engine and cannot be set`);
}

async function readOne(value: string): Promise<Record<string, unknown>> {
  if (value.startsWith('@')) return readMap(await readVarsFile(value.slice(1)), value);
  if (value.trimStart().startsWith('{')) return readMap(value, value);
  const [, name, text = ''] = /^([A-Za-z_]\w*)=(.*)$/s.exec(value) ?? [];
  // Always text: `version=1.10` must not become 1.1.
  if (name !== undefined) return { [name]: text };
  const hint = 'write -e name=text, -e @file.yaml, or -e \'{"name": 1}\' for numbers, lists and maps';
  throw new RunbookError('usage', `-e ${value}: this is none of the three forms`, { hint });
}

async function readVarsFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new RunbookError('file-unreadable', `-e @${path}: ${fileProblem(error)}`, { cause: error });
  }
}

async function readMap(text: string, value: string): Promise<Record<string, unknown>> {
  const { parse } = await import('yaml');
  try {
    const map: unknown = parse(text, { version: '1.2', uniqueKeys: true });
    // YAML's parser makes plain objects of maps.
    if (typeof map === 'object' && map !== null && !Array.isArray(map)) return map as Record<string, unknown>;
  } catch (error) {
    throw new RunbookError('invalid-input', `-e ${value}: ${errorMessage(error)}`, { cause: error });
  }
  throw new RunbookError('invalid-input', `-e ${value}: it must be a map of names and values`);
}

import { throwOnErrors } from '../base/diagnostic.ts';
import { fileProblem, hintOf, RunbookError } from '../base/errors.ts';
import type { FileOpener, OpenedSource } from '../language/encrypted-files.ts';
import type { YamlNode } from '../language/yaml.ts';

/**
 * Reads the values of `-e`, the later over the earlier: `name=text`, `@file.yaml`, `{"json": true}`. Files may be encrypted
 * where there is an opener.
 */
export async function readExtraVars(values: readonly string[], opener?: FileOpener): Promise<Record<string, unknown>> {
  const vars: Record<string, unknown> = {};
  for (const value of values) Object.assign(vars, await readOne(value, opener));
  if (values.length === 0) return vars;
  const { providedNames } = await import('../language/load/fields.ts');
  const provided = Object.keys(vars).find((name) => providedNames.has(name));
  if (provided === undefined) return vars;
  throw new RunbookError('usage', `-e: "${provided}" is provided by the engine and cannot be set`);
}

async function readOne(value: string, opener: FileOpener | undefined): Promise<Record<string, unknown>> {
  if (value.startsWith('@')) return readMap(await readVarsFile(value.slice(1), opener), value);
  if (value.trimStart().startsWith('{')) return readMap({ path: '-e', text: value }, value);
  const [, name, text = ''] = /^([A-Za-z_]\w*)=(.*)$/s.exec(value) ?? [];
  // Always text: `version=1.10` must not become 1.1.
  if (name !== undefined) return { [name]: text };
  const hint = 'write -e name=text, -e @file.yaml, or -e \'{"name": 1}\' for numbers, lists and maps';
  throw new RunbookError('usage', `-e ${value}: this is none of the three forms`, { hint });
}

async function readVarsFile(path: string, opener: FileOpener | undefined): Promise<OpenedSource> {
  try {
    const { createKeylessOpener } = await import('../language/encrypted-files.ts');
    return await (opener ?? createKeylessOpener()).open(path);
  } catch (error) {
    throw new RunbookError('file-unreadable', `-e @${path}: ${fileProblem(error)}`, { ...hintOf(error), cause: error });
  }
}

async function readMap(source: OpenedSource, value: string): Promise<Record<string, unknown>> {
  const { parseYaml } = await import('../language/yaml.ts');
  const { root, diagnostics } = parseYaml(source);
  throwOnErrors(diagnostics);
  // parseYaml makes plain objects of maps.
  if (root?.kind === 'map') return dataOf(root) as Record<string, unknown>;
  throw new RunbookError('invalid-input', `-e ${value}: it must be a map of names and values`);
}

/** The values are data: a template in them is a text. */
function dataOf(node: YamlNode): unknown {
  if (node.kind === 'list') return node.items.map(dataOf);
  if (node.kind === 'map') return Object.fromEntries(node.entries.map(({ key, value }) => [key, dataOf(value)]));
  return node.secret ?? node.value;
}

import { relative } from 'node:path';
import { DiagnosticsError, formatDiagnostic } from '../../engine/base/diagnostic.ts';
import { sh } from '../../engine/base/sh.ts';
import type { Range } from '../../engine/base/source.ts';
import { compileData, compileExpression, createCompileCache } from '../../engine/language/compile.ts';
import { loadPlaybook } from '../../engine/language/load.ts';
import type { Node, Playbook, Task } from '../../engine/language/playbook.ts';
import type { Expression, Value } from '../../engine/language/value.ts';
import { createValidator } from '../../engine/module/arguments.ts';
import {
  defineAction,
  defineLease,
  defineModule,
  type ModuleDefinition,
  type Probe,
} from '../../engine/module/contract.ts';
import type { Registry } from '../../engine/module/registry.ts';

/** Modules of every shape, so that the loader's tests need none of the built-in ones. */

const nothing: Probe<undefined> = { script: sh`true`, parse: () => undefined };
const inert = {
  probe: () => nothing,
  diff: () => [],
  *apply() {},
} as const;

const copy = defineModule({
  name: 'copy',
  summary: 'A fake',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['dest'],
    properties: {
      dest: { type: 'string', pattern: '^/', description: 'an absolute path' },
      content: { type: 'string' },
      src: { type: 'string' },
      mode: { type: 'string', pattern: '^0[0-7]{3}$', description: 'octal digits in quotes' },
      state: { enum: ['present', 'absent'], default: 'present' },
      backup: { type: 'boolean', default: false },
      options: {
        type: 'object',
        additionalProperties: false,
        properties: { retries: { type: 'integer', minimum: 0, default: 3 }, label: { type: 'string' } },
      },
    },
  },
  check: ({ src, content }) => (src !== undefined && content !== undefined ? ['give src or content, not both'] : []),
  ...inert,
});

const command = defineModule({
  name: 'command',
  summary: 'A fake',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['cmd'],
    properties: { cmd: { type: 'string' }, chdir: { type: 'string' } },
  },
  ...inert,
});

const fileTemplate = defineModule({
  name: 'file-template',
  summary: 'A fake',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['src', 'dest'],
    properties: { src: { type: 'string' }, dest: { type: 'string' } },
  },
  ...inert,
});

const assert = defineAction({
  name: 'assert',
  summary: 'A fake',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['that'],
    properties: {
      that: { type: 'array', items: { format: 'expression' }, minItems: 1 },
      message: { type: 'string' },
    },
  },
  run: async () => ({}),
});

const setFact = defineAction({
  name: 'set-fact',
  summary: 'A fake',
  schema: { type: 'object', additionalProperties: true, properties: {} },
  run: async () => ({}),
});

const drain = defineLease({
  name: 'drain',
  summary: 'A fake',
  schema: { type: 'object', additionalProperties: false, required: ['node'], properties: { node: { type: 'string' } } },
  probe: () => nothing,
  diff: () => [],
  grant: () => null,
  *acquire() {},
  *release() {},
});

/** A registry of the fakes. */
export const registry: Registry = registryOf([assert, command, copy, drain, fileTemplate, setFact]);

function registryOf(modules: readonly ModuleDefinition[]): Registry {
  const byName = new Map(modules.map((module) => [module.name, module]));
  return { get: (name) => byName.get(name), names: () => [...byName.keys()], origin: () => 'test' };
}

/** Compiles each fake's schema once for all tests. */
const validator = createValidator();

/** Loads a playbook from texts by path; the first one is the playbook. */
export async function load(
  files: string | Readonly<Record<string, string>>,
): Promise<{ playbook: Playbook; warnings: readonly string[] }> {
  const texts = typeof files === 'string' ? { 'play.yaml': files } : files;
  const readFile = async (path: string): Promise<string> => {
    const text = texts[path];
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return text;
  };
  const listFolder = async (folder: string): Promise<string[]> => {
    const inside = Object.keys(texts).map((path) => relative(folder, path));
    const names = inside.filter((path) => !path.startsWith('..')).map((path) => path.replace(/\/.*/, '/'));
    return [...new Set(names)];
  };
  const loaded = await loadPlaybook(Object.keys(texts)[0] ?? '', { registry, validator, readFile, listFolder });
  return { playbook: loaded.playbook, warnings: loaded.diagnostics.map(formatDiagnostic) };
}

/** All that is wrong with a playbook, as the user reads it; `''` when nothing is. */
export async function mistakesOf(files: string | Readonly<Record<string, string>>): Promise<string> {
  return mistakesIn(() => load(files));
}

/** The message of the DiagnosticsError that something raises; `''` when it raises nothing. Other errors pass. */
export async function mistakesIn(run: () => unknown): Promise<string> {
  try {
    await run();
    return '';
  } catch (error) {
    if (error instanceof DiagnosticsError) return error.message;
    throw error;
  }
}

/** The first play's task with this index; blocks count as one. */
export async function taskOf(text: string, index = 0): Promise<Task> {
  const { playbook } = await load(text);
  return asTask(playbook.plays[0]?.tasks[index]);
}

/** A node as a task; fails the test when it is none. */
export function asTask(node: Node | undefined): Task {
  if (node?.kind !== 'task') throw new Error('not a task');
  return node;
}

/** A range over a whole text in a file of its own. */
export function whole(text: string): Range {
  return { source: { path: 't.yaml', text }, start: 0, end: text.length };
}

/** A compiled text. */
export function value(text: string): Value {
  return compileData(text, whole(text));
}

/** A compiled expression. */
export function expression(text: string): Expression {
  return compileExpression(text, whole(text), createCompileCache());
}

import type { ModuleDefinition } from '../module/contract.ts';
import type { Registry } from '../module/registry.ts';
import { inputsDefinitions, looksLikeInputs } from './editor-schema/inputs.ts';
import { keywordParts, keywordSchema, variablesSchema } from './editor-schema/keywords.ts';
import { moduleDefaultsSchema, moduleSchema } from './editor-schema/modules.ts';
import { chosen, type EditorSchema, has, ref, refused } from './editor-schema/parts.ts';
import { foreignKeywords, type Holder, keywords, keywordsOf } from './keywords.ts';

/** A kind of file that is a map, and the shape by which it is known. */
export interface MapFile {
  readonly when: EditorSchema;
  readonly then: EditorSchema;
}

/**
 * One JSON Schema (draft 7) for all that is written in YAML: playbooks, tasks and handlers of roles, their inputs,
 * variables, and the kinds of file in `files`. It tells them apart by their shape, so that one setting of an editor is
 * enough. What is wrong is judged by the one thing that was meant: a misspelt argument is shown where it stands.
 * `definitions` are those that `files` refer to.
 */
export function editorSchema(
  registry: Registry,
  files: readonly MapFile[] = [],
  definitions: Readonly<Record<string, EditorSchema>> = {},
): EditorSchema {
  const modules = registry.names().flatMap((name) => registry.get(name) ?? []);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'runbook',
    ...chosen([{ when: { type: 'array' }, then: ref('list-file') }, ...files, ...roleFiles], ref('variables-file')),
    definitions: {
      'list-file': listFile(),
      'variables-file': { description: 'Variables.', ...variablesSchema },
      ...definitions,
      ...inputsDefinitions(),
      'role-meta': { properties: { dependencies: ref(keywordDefinition('roles')) } },
      ...items(),
      ...holders(modules),
      ...keywordParts(),
      'module-defaults': moduleDefaults(modules),
      ...Object.fromEntries(modules.map((module) => [moduleDefinition(module), moduleSchema(module)])),
      ...Object.fromEntries(keywords.map((keyword) => [keywordDefinition(keyword.name), keywordSchema(keyword)])),
    },
  };
}

/** The files of a role that are maps: what `meta/` says of other roles, and `inputs.yaml`. */
const roleFiles: readonly MapFile[] = [
  { when: { ...has('dependencies'), properties: { dependencies: { type: 'array' } } }, then: ref('role-meta') },
  looksLikeInputs,
];

/** The name under which a keyword is defined. */
export function keywordDefinition(name: string): string {
  return `keyword.${name}`;
}

function moduleDefinition({ name }: ModuleDefinition): string {
  return `module.${name}`;
}

/** Keys that a play has and a task has not. */
const playKeys = ['hosts', 'import_playbook', 'tasks', 'roles', 'pre_tasks', 'post_tasks', 'handlers'];

/** A playbook as soon as one item is a play; else a file of tasks or handlers. */
function listFile(): EditorSchema {
  const isPlaybook = { contains: { anyOf: playKeys.map(has) } };
  return chosen([{ when: isPlaybook, then: { items: ref('playbook-item') } }], { items: ref('task-file-item') });
}

/** What a task can be instead, by the key that says so. */
const taskKinds = ['import_tasks', 'import_role', 'include_tasks', 'meta'] as const;
const blockKeys = ['block', 'rescue', 'always', 'lease'];

function items(): Readonly<Record<string, EditorSchema>> {
  const kinds = [
    ...taskKinds.map((kind) => ({ when: has(kind), then: ref(kind) })),
    { when: { anyOf: blockKeys.map(has) }, then: ref('block') },
  ];
  const imports = [{ when: has('import_tasks'), then: ref('import_tasks') }];
  return {
    'playbook-item': chosen([{ when: has('import_playbook'), then: ref('import_playbook') }], ref('play')),
    'task-list-item': chosen(kinds, ref('task')),
    'handler-list-item': chosen(imports, ref('handler')),
    // A file does not say whether its tasks are handlers.
    'task-file-item': chosen(kinds, ref('task-or-handler')),
  };
}

/** What keywords can stand on. The keys of other kinds are there for completion: who has written one has another kind. */
function holders(modules: readonly ModuleDefinition[]): Readonly<Record<string, EditorSchema>> {
  const others = ['block', ...taskKinds];
  const tasks = modules.filter(({ kind }) => kind !== 'lease');
  const leases = modules.filter(({ kind }) => kind === 'lease');
  return {
    play: { ...holder('play', ['import_playbook']), required: ['hosts'] },
    import_playbook: { ...holder('import_playbook'), required: ['import_playbook'] },
    task: { ...holder('task', others, tasks), ...oneModule('A task', tasks) },
    handler: { ...holder('handler', ['import_tasks'], tasks), ...oneModule('A handler', tasks) },
    // A handler has all that a task has. The key of a play begins a playbook.
    'task-or-handler': { ...holder('handler', [...others, 'hosts'], tasks), ...oneModule('A task', tasks) },
    block: { ...holder('block'), required: ['block'] },
    lease: { ...holder('lease', [], leases), ...oneModule('A lease', leases) },
    role: { ...holder('role'), required: ['role'] },
    ...Object.fromEntries(taskKinds.map((kind) => [kind, { ...holder(kind), required: [kind] }])),
  };
}

function holder(name: Holder, others: readonly string[] = [], modules: readonly ModuleDefinition[] = []): EditorSchema {
  const known = [...keywordsOf(name), ...others];
  const foreign = Object.entries(foreignKeywords).filter(([keyword]) => !known.includes(keyword));
  const refusal = (keyword: string, hint = 'there is nothing like it'): EditorSchema =>
    refused(`${keyword} is not supported: ${hint}.`);
  return {
    title: name,
    type: 'object',
    properties: {
      ...Object.fromEntries(known.map((keyword) => [keyword, ref(keywordDefinition(keyword))])),
      ...Object.fromEntries(modules.map((module) => [module.name, ref(moduleDefinition(module))])),
      ...Object.fromEntries(foreign.map(([keyword, hint]) => [keyword, refusal(keyword, hint)])),
    },
    additionalProperties: false,
    ...(known.includes('loop_control') && { dependencies: { loop_control: ['loop'] } }),
  };
}

/** Exactly one of the modules. */
function oneModule(what: string, modules: readonly ModuleDefinition[]): EditorSchema {
  const uses = modules.map(({ name }) => has(name));
  if (uses.length === 0) return {};
  // No key has a space: what is said stands where a missing key is shown, at the beginning of the task.
  const mistake = (message: string): EditorSchema => ({ required: ['one module'], errorMessage: message });
  return chosen(
    [
      { when: { oneOf: uses }, then: {} },
      { when: { anyOf: uses }, then: mistake(`${what} has one module.`) },
    ],
    mistake(`${what} needs a module.`),
  );
}

function moduleDefaults(modules: readonly ModuleDefinition[]): EditorSchema {
  return {
    type: ['object', 'null'],
    properties: Object.fromEntries(
      modules.map((module) => [module.name, moduleDefaultsSchema(module, moduleDefinition(module))]),
    ),
    additionalProperties: false,
  };
}

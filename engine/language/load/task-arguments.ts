import { isProxy } from 'node:util/types';
import type { Range } from '../../base/source.ts';
import { checkArguments, type SchemaMistake } from '../../module/arguments.ts';
import type { ModuleDefinition } from '../../module/contract.ts';
import { branchesOf, loneArgumentOf, takesText } from '../../module/lone-argument.ts';
import type { EvaluatedExpression, Schema } from '../../module/schema.ts';
import { compileExpression, compileNode, listOf, literal, mapOf } from '../compile.ts';
import type { Expression, Value } from '../value.ts';
import { describeNode, type YamlEntry, type YamlMap, type YamlNode, type YamlScalar } from '../yaml.ts';
import { attempt, type LoadContext, report } from './context.ts';
import { withDefaults } from './module-defaults.ts';

/**
 * Compiles a module's arguments, `defaults` under them, and checks what is written out against its schema. `entry` is the
 * module's key.
 */
export function readArguments(
  context: LoadContext,
  module: ModuleDefinition,
  entry: YamlEntry,
  defaults: readonly YamlEntry[] = [],
): Value {
  const nothing = mapOf([], entry.keyRange);
  const given = argumentsMap(context, module, entry);
  if (!given) return nothing;
  const map: YamlMap = defaults.length === 0 ? given : { ...given, entries: withDefaults(given.entries, defaults) };
  const before = context.diagnostics.length;
  const work: Work = { context, skip: new Set() };
  const { value, sample } = compileMap(map, module.schema, [], work);
  // A template that does not compile leaves no sample that could be judged.
  if (context.diagnostics.length > before) return nothing;
  const mistakes = checkArguments(context.validator, module, sample as Record<string, unknown>, work.skip);
  for (const mistake of mistakes) {
    const { range, node } = placeOf(mistake, map, entry.keyRange);
    report(context, range, `${module.name}: ${mistake.message}`, hintFor(mistake, node));
  }
  return value;
}

/** The arguments as a map; a lone text is one of them: `command: ls -l`. */
function argumentsMap(context: LoadContext, module: ModuleDefinition, entry: YamlEntry): YamlMap | undefined {
  const { value, keyRange } = entry;
  if (value.kind === 'map') return value;
  if (value.kind === 'scalar' && value.value === null) return { kind: 'map', entries: [], range: keyRange };
  const names = Object.keys(module.schema.properties);
  const lone = loneArgumentOf(module);
  const assigned = value.kind === 'scalar' ? assignedIn(String(value.value), names) : undefined;
  if (assigned) {
    const { name: written, isFirst } = assigned;
    const line = `write "${written}: …" on a line of its own`;
    const hint = isFirst || lone === undefined ? line : `${line}, or {${lone}: …} if it is part of the text`;
    report(context, value.range, `${module.name}: arguments written as "name=value" are not supported`, hint);
    return undefined;
  }
  if (lone !== undefined && value.kind === 'scalar') {
    return { kind: 'map', entries: [{ key: lone, keyRange, value }], range: value.range };
  }
  const all = `it takes: ${names.join(', ')}`;
  const text = names.find((name) => takesText(module.schema.properties[name]));
  report(
    context,
    value.range,
    `${module.name}: the arguments must be a map, not ${describeNode(value)}`,
    value.kind === 'scalar' && text !== undefined ? `write {${text}: …}; ${all}` : all,
  );
  return undefined;
}

/** What Ansible takes out of the text of a command, wherever it stands. */
const takenFromCommands = 'creates|removes|chdir|executable|stdin|stdin_add_newline|strip_empty_ends|warn';

/** The argument that a text assigns in Ansible's way: one of `names` at its beginning, or one of a command's anywhere. */
function assignedIn(text: string, names: readonly string[]): { name: string; isFirst: boolean } | undefined {
  const first = /^\s*(\w+)=/.exec(text)?.[1];
  if (first !== undefined && names.includes(first)) return { name: first, isFirst: true };
  const unquoted = text.replace(/"(?:\\.|[^"\\])*"|'[^']*'|\{\{.*?\}\}/gs, 'x');
  const inside = new RegExp(`(?:^|\\s)(${takenFromCommands})=`).exec(unquoted)?.[1];
  return inside === undefined ? undefined : { name: inside, isFirst: false };
}

interface Work {
  readonly context: LoadContext;
  /** Paths whose values are not known before the run. */
  readonly skip: Set<string>;
}

/** A compiled part, and what stands for it when the literal parts are checked. */
interface Part {
  readonly value: Value;
  readonly sample: unknown;
}

function compilePart(node: YamlNode, schema: Schema | undefined, path: readonly string[], work: Work): Part {
  switch (node.kind) {
    case 'map':
      return compileMap(node, schema, path, work);
    case 'list': {
      const itemSchema = branchesOf(schema).find((s) => s.items)?.items;
      const parts = node.items.map((item, i) => compilePart(item, itemSchema, [...path, String(i)], work));
      return {
        value: listOf(
          parts.map((p) => p.value),
          node.range,
        ),
        sample: parts.map((p) => p.sample),
      };
    }
    case 'scalar':
      return compileScalar(node, schema, path, work);
  }
}

function compileMap(node: YamlMap, schema: Schema | undefined, path: readonly string[], work: Work): Part {
  const parts = node.entries.map(({ key, value }) => {
    return [key, compilePart(value, propertySchema(schema, key), [...path, key], work)] as const;
  });
  return {
    value: mapOf(
      parts.map(([key, part]) => [key, part.value] as const),
      node.range,
    ),
    sample: Object.fromEntries(parts.map(([key, part]) => [key, part.sample])),
  };
}

function compileScalar(node: YamlScalar, schema: Schema | undefined, path: readonly string[], work: Work): Part {
  const { context } = work;
  const { value: written, range } = node;
  if (branchesOf(schema).some((s) => s.format === 'expression')) {
    if (typeof written !== 'string' && typeof written !== 'boolean') {
      report(context, range, `${path.at(-1) ?? ''} must be an expression, not ${describeNode(node)}`);
      return { value: literal(null, range), sample: null };
    }
    const expression = attempt(context, () => compileExpression(String(written), range, context.cache));
    return { value: expression ? evaluated(expression) : literal(null, range), sample: String(written) };
  }
  const value = attempt(context, () => compileNode(node, context.cache));
  if (!value) return { value: literal(null, range), sample: null };
  if (value.isLiteral) return { value, sample: value.render({}) };
  work.skip.add(path.join('/'));
  return { value: copied(value, isOnlyText(schema)), sample: placeholder(schema) };
}

/** What a module gets for an argument of `format: 'expression'`. */
function evaluated(expression: Expression): Value {
  return {
    range: expression.range,
    expression,
    isLiteral: false,
    get references() {
      return expression.references;
    },
    written: expression.text,
    render: (scope): EvaluatedExpression => ({ text: expression.text, value: expression.evaluate(scope) }),
  };
}

/**
 * Defaults are filled into arguments in place: that must not reach the variables that they came from. Where the module
 * takes only text, a number of a lone `{{ x }}` becomes one, as it does everywhere else in a text.
 */
function copied(value: Value, isText: boolean): Value {
  return {
    range: value.range,
    ...(value.expression && { expression: value.expression }),
    isLiteral: false,
    get references() {
      return value.references;
    },
    written: value.written,
    render(scope) {
      const data = value.render(scope);
      return isText && (typeof data === 'number' || typeof data === 'boolean') ? String(data) : copyData(data);
    },
  };
}

function copyData(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(copyData);
  // A proxy knows which of its fields are unknown; a Secret is no plain data.
  if (typeof data !== 'object' || data === null || isProxy(data)) return data;
  const prototype: unknown = Object.getPrototypeOf(data);
  if (prototype !== null && prototype !== Object.prototype) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, copyData(value)]));
}

/** A value that the schema accepts, so that what is around it can be judged. */
function placeholder(schema: Schema | undefined): unknown {
  for (const branch of branchesOf(schema)) {
    if (branch.const !== undefined) return branch.const;
    if (branch.enum) return branch.enum[0];
    if (branch.type === 'string') return 'text';
    if (branch.type === 'integer' || branch.type === 'number') return branch.minimum ?? branch.maximum ?? 1;
    if (branch.type === 'boolean') return true;
    if (branch.type === 'array') return [];
    if (branch.type === 'object') return {};
  }
  return null;
}

function isOnlyText(schema: Schema | undefined): boolean {
  const types = new Set(branchesOf(schema).map((s) => s.type));
  return types.has('string') && !types.has('number') && !types.has('integer') && !types.has('boolean');
}

function propertySchema(schema: Schema | undefined, name: string): Schema | undefined {
  for (const branch of branchesOf(schema)) {
    if (branch.properties && Object.hasOwn(branch.properties, name)) return branch.properties[name];
    if (typeof branch.additionalProperties === 'object') return branch.additionalProperties;
  }
  return undefined;
}

/** Where a mistake stands: an unknown name at its key, a wrong scalar at the scalar, what is missing at the key around it. */
function placeOf(mistake: SchemaMistake, root: YamlMap, moduleKey: Range): { range: Range; node?: YamlNode } {
  let node: YamlNode = root;
  let key = moduleKey;
  for (const part of mistake.path) {
    if (node.kind === 'scalar') break;
    if (node.kind === 'list') {
      const item: YamlNode | undefined = node.items[Number(part)];
      if (!item) break;
      node = item;
      key = { ...item.range, end: item.range.start + 1 };
      continue;
    }
    const entry: YamlEntry | undefined = node.entries.find((e) => e.key === part);
    if (!entry) break;
    node = entry.value;
    key = entry.keyRange;
  }
  const isValue = mistake.at === 'value' && node.kind === 'scalar' && node.range.end > node.range.start;
  return { range: isValue ? node.range : key, node };
}

function hintFor(mistake: SchemaMistake, node: YamlNode | undefined): string | undefined {
  if (
    mistake.at === 'value' &&
    node?.kind === 'scalar' &&
    typeof node.value === 'number' &&
    / a string/.test(mistake.message)
  ) {
    const written = node.range.source.text.slice(node.range.start, node.range.end);
    return `put it in quotes: "${written}"`;
  }
  return mistake.hint;
}

import type { Schema } from '../../module/schema.ts';
import { plainData } from '../plain-data.ts';
import { describeNode, type YamlEntry, type YamlMap, type YamlNode } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import { readBoolean } from './fields.ts';
import { reportUnknown } from './unknown-keys.ts';

const types = ['string', 'integer', 'number', 'boolean', 'array', 'object', 'null'];

type Check = (context: LoadContext, entry: YamlEntry) => void;

/** The words of JSON Schema that the declaration of an input can have, and what each takes. */
const words: Readonly<Record<string, Check>> = {
  type: checkType,
  description: takes('a text', (value) => typeof value === 'string'),
  default: () => undefined,
  const: () => undefined,
  enum: takes('a list of values', (value) => Array.isArray(value) && value.length > 0),
  examples: takes('a list of values', Array.isArray),
  pattern: checkPattern,
  minimum: takes('a number', (value) => typeof value === 'number'),
  maximum: takes('a number', (value) => typeof value === 'number'),
  minLength: takes('a whole number from 0', isCount),
  minItems: takes('a whole number from 0', isCount),
  minProperties: takes('a whole number from 0', isCount),
  items: (context, { value }) => checkSchema(context, value, 'items'),
  properties: checkProperties,
  additionalProperties: (context, { value }) => {
    if (value.kind !== 'scalar' || typeof value.value !== 'boolean')
      checkSchema(context, value, 'additionalProperties');
  },
  oneOf: checkChoices,
  anyOf: checkChoices,
};

/** Checks the words of an input's declaration; `required` is `true` or `false` here. */
export function checkInputDeclaration(context: LoadContext, map: YamlMap, what: string): void {
  checkWords(context, map, what, (c, entry) => void readBoolean(c, entry));
}

/** The schema of an input, from a declaration without mistakes. */
export function schemaOf(map: YamlMap): Schema {
  const schema = map.entries.filter(({ key }) => key !== 'required' && key !== 'default');
  return Object.fromEntries(schema.map(({ key, value }) => [key, plainData(value)]));
}

function checkSchema(context: LoadContext, node: YamlNode, what: string): void {
  if (node.kind !== 'map') report(context, node.range, `${what} must be a map, not ${describeNode(node)}`);
  // In a map that is described, `required` lists the keys that must be there.
  else checkWords(context, node, what, takes('a list of keys', isTexts));
}

function checkWords(context: LoadContext, map: YamlMap, what: string, required: Check): void {
  const known = [...Object.keys(words), 'required'];
  for (const entry of map.entries) {
    const check = entry.key === 'required' ? required : Object.hasOwn(words, entry.key) ? words[entry.key] : undefined;
    if (check) check(context, entry);
    else reportUnknown(context, entry, known, what);
  }
}

function takes(what: string, fits: (value: unknown) => boolean): Check {
  return (context, { key, value }) => {
    if (!fits(plainData(value))) report(context, value.range, `${key} must be ${what}, not ${describeNode(value)}`);
  };
}

function checkType(context: LoadContext, { key, value }: YamlEntry): void {
  if (value.kind === 'scalar' && types.includes(String(value.value))) return;
  const hint = `the types are ${types.join(', ')}`;
  report(context, value.range, `${key} must be a type, not ${describeNode(value)}`, hint);
}

function checkPattern(context: LoadContext, { key, value }: YamlEntry): void {
  try {
    if (value.kind === 'scalar' && typeof value.value === 'string') return void new RegExp(value.value, 'u');
    report(context, value.range, `${key} must be a regular expression, not ${describeNode(value)}`);
  } catch {
    report(context, value.range, `${key} is no valid regular expression`);
  }
}

function checkProperties(context: LoadContext, { key, value }: YamlEntry): void {
  if (value.kind !== 'map') report(context, value.range, `${key} must be a map, not ${describeNode(value)}`);
  else for (const entry of value.entries) checkSchema(context, entry.value, `"${entry.key}"`);
}

function checkChoices(context: LoadContext, { key, value }: YamlEntry): void {
  if (value.kind !== 'list' || value.items.length === 0) {
    report(context, value.range, `${key} must be a list of schemas, not ${describeNode(value)}`);
  } else for (const item of value.items) checkSchema(context, item, key);
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

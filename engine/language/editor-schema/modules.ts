import type { ModuleDefinition } from '../../module/contract.ts';
import { branchesOf, loneArgumentOf } from '../../module/lone-argument.ts';
import type { Schema } from '../../module/schema.ts';
import { computable, type EditorSchema, anyOf as eitherOf, told } from './parts.ts';

/** A module as the value of its name in a task: its arguments, or a lone text for one of them. */
export function moduleSchema(module: ModuleDefinition): EditorSchema {
  const { schema } = module;
  const name = loneArgumentOf(module);
  const lone = name === undefined ? undefined : schema.properties[name];
  const types = ['object', ...(lone ? scalarTypes(lone) : []), ...(schema.required?.length ? [] : ['null'])];
  return {
    ...told({ title: module.name, description: module.summary, markdown: moduleMarkdown(module) }),
    type: types,
    ...argumentsOf(schema),
    ...(schema.required && { required: schema.required }),
    ...(lone && { if: { type: ['string'] }, then: branch(lone) }),
  };
}

/** The same arguments as defaults: none is required. */
export function moduleDefaultsSchema(module: ModuleDefinition, definition: string): EditorSchema {
  const names = Object.keys(module.schema.properties);
  return {
    ...told({ title: module.name, description: module.summary }),
    type: ['object'],
    properties: Object.fromEntries(
      names.map((name) => [name, { $ref: `#/definitions/${definition}/properties/${pointerPart(name)}` }]),
    ),
    ...(module.schema.additionalProperties === false && { additionalProperties: false }),
  };
}

function scalarTypes(schema: Schema): string[] {
  const scalars = ['string', 'number', 'integer', 'boolean'];
  const types = branchesOf(schema).flatMap((s) => (s.format === 'expression' ? ['string', 'boolean'] : (s.type ?? [])));
  return [...new Set(types)].filter((type) => scalars.includes(type));
}

function argumentsOf(schema: Schema): EditorSchema {
  const { properties = {}, additionalProperties } = schema;
  return {
    properties: Object.fromEntries(Object.entries(properties).map(([name, s]) => [name, argumentSchema(s)])),
    ...(additionalProperties !== undefined && {
      additionalProperties:
        typeof additionalProperties === 'object' ? argumentSchema(additionalProperties) : additionalProperties,
    }),
  };
}

/** An argument: as its schema says, or a template or an expression. */
function argumentSchema(schema: Schema): EditorSchema {
  const { description = '', default: value, examples } = schema;
  const markdown = value === undefined ? description : `${description}\n\nDefault: \`${JSON.stringify(value)}\``;
  const docs = {
    ...(description !== '' && { description }),
    ...(markdown !== description && { markdownDescription: markdown.trim() }),
    ...(value !== undefined && { default: value }),
    ...(examples && { examples }),
  };
  const choices = schema.oneOf ?? schema.anyOf;
  return computable(choices ? choices.map(branch) : [branch(schema)], docs);
}

/** A schema without what is said about it: that stands around it, once. */
function branch(schema: Schema): EditorSchema {
  const {
    description: _d,
    default: _v,
    examples: _e,
    format,
    items,
    properties,
    additionalProperties,
    oneOf,
    anyOf,
    ...rest
  } = schema;
  if (format === 'expression') return { type: ['string', 'boolean'] };
  return {
    ...rest,
    ...((properties ?? additionalProperties !== undefined) ? argumentsOf(schema) : {}),
    ...(items && { items: argumentSchema(items) }),
    ...((oneOf ?? anyOf) && eitherOf((oneOf ?? anyOf ?? []).map(branch))),
  };
}

function moduleMarkdown({ summary, description, examples }: ModuleDefinition): string {
  const parts = [summary, description?.trim(), examples && `\`\`\`yaml\n${examples.trim()}\n\`\`\``];
  return parts.filter((part) => part).join('\n\n');
}

function pointerPart(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
}

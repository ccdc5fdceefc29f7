import { variableName } from './keywords.ts';
import { chosen, type EditorSchema, has, ref } from './parts.ts';

const types = ['string', 'integer', 'number', 'boolean', 'array', 'object', 'null'];

/** A role's `inputs.yaml`: maps only, and one of them with a type. */
export const looksLikeInputs = {
  when: {
    minProperties: 1,
    additionalProperties: { type: 'object' },
    not: { additionalProperties: { not: { ...has('type'), properties: { type: { enum: types } } } } },
  },
  then: ref('inputs'),
};

/** The definitions of typed inputs. */
export function inputsDefinitions(): Readonly<Record<string, EditorSchema>> {
  return {
    inputs: {
      description: 'Typed inputs, by name.',
      type: ['object', 'null'],
      propertyNames: variableName,
      additionalProperties: ref('input'),
    },
    input: {
      title: 'input',
      type: 'object',
      ...chosen([{ when: { anyOf: ['type', 'enum', 'const', 'oneOf', 'anyOf'].map(has) }, then: {} }], {
        required: ['type'],
        errorMessage: 'An input needs a type.',
      }),
      properties: {
        ...schemaWords(),
        required: {
          description: 'Whether it must be given. Without a default it has no value unless it is.',
          type: 'boolean',
        },
      },
      additionalProperties: false,
    },
    'input-schema': { type: 'object', properties: { ...schemaWords(), required: names }, additionalProperties: false },
  };
}

const names = { description: 'The keys that must be there.', type: 'array', items: { type: 'string' } };

/** JSON Schema, as much of it as inputs may use. */
function schemaWords(): Readonly<Record<string, EditorSchema>> {
  const inner = ref('input-schema');
  const count = { type: 'integer', minimum: 0 };
  return {
    type: { description: 'The type of the value.', enum: types },
    description: { description: 'What it is for.', type: 'string' },
    default: { description: 'Its value unless another is given.' },
    enum: { description: 'The values that it can have.', type: 'array', minItems: 1 },
    const: { description: 'The one value that it can have.' },
    pattern: { description: 'A regular expression that a text must match.', type: 'string' },
    minimum: { description: 'The least number.', type: 'number' },
    maximum: { description: 'The greatest number.', type: 'number' },
    minLength: { description: 'The fewest characters of a text.', ...count },
    minItems: { description: 'The fewest items of a list.', ...count },
    minProperties: { description: 'The fewest keys of a map.', ...count },
    items: inner,
    properties: { description: 'The keys of a map.', type: 'object', additionalProperties: inner },
    additionalProperties: {
      description: 'Whether a map may have other keys, or what they are.',
      anyOf: [{ type: 'boolean' }, inner],
    },
    oneOf: { description: 'Exactly one of these fits.', type: 'array', items: inner },
    anyOf: { description: 'One of these fits.', type: 'array', items: inner },
    examples: { description: 'Values that it may have.', type: 'array' },
  };
}

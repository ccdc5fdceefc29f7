import { keywordExamples } from '../keyword-examples.ts';
import type { Keyword, Takes } from '../keywords.ts';
import { providedNames } from '../load/fields.ts';
import { anyOf, computable, type EditorSchema, expression, oneOrMore, ref, told } from './parts.ts';

/** The names that variables can have. */
export const variableName: EditorSchema = {
  pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
  patternErrorMessage: "A variable's name has letters, digits and _ only.",
  not: { enum: [...providedNames] },
};

/** A map of variables. */
export const variablesSchema: EditorSchema = { type: ['object', 'null'], propertyNames: variableName };

const text: EditorSchema = {
  type: 'string',
  pattern: '^(?![\\s\\S]*\\{\\{)',
  patternErrorMessage: 'This is written out, without a template: it is needed before there are variables.',
};
const condition: EditorSchema = {
  type: ['string', 'boolean'],
  pattern: '^(?!\\s*\\{\\{)(?!([yY][eE][sS]|[nN][oO]|[oO][nN]|[oO][fF][fF])$)',
  patternErrorMessage: 'A CEL expression, without {{ }}; true and false are written so.',
};
const duration: EditorSchema = {
  type: ['number', 'string'],
  minimum: 0,
  pattern: '^\\d+(\\.\\d+)?\\s*(ms|s|m|h)?$',
  patternErrorMessage: 'A duration is 30 (seconds), 500ms, 30s, 5m or 1h.',
};
const hostPattern: EditorSchema = { type: 'string', pattern: '\\S' };
const hostCount: EditorSchema = {
  type: ['integer', 'string'],
  minimum: 1,
  pattern: '^([1-9]\\d*|[1-9]\\d?%|100%)$',
  patternErrorMessage: 'A number of hosts or a percentage: 2 or "30%".',
};

const percentage: EditorSchema = {
  type: ['number', 'string'],
  minimum: 0,
  maximum: 100,
  pattern: '^(100|\\d{1,2}(\\.\\d+)?)%?$',
  patternErrorMessage: 'A percentage from 0 to 100.',
};

/** The definition of a keyword: what it takes, and what the reference page says of it. */
export function keywordSchema(keyword: Keyword): EditorSchema {
  const { name, summary, differs } = keyword;
  const example = keywordExamples[name];
  const description = differs === undefined ? summary : `${summary} Differs from Ansible: ${differs}`;
  const markdown = [
    summary,
    differs !== undefined && `**Differs from Ansible:** ${differs}`,
    example !== undefined && `\`\`\`yaml\n${example.trim()}\n\`\`\``,
  ];
  return {
    ...told({ title: name, description, markdown: markdown.filter((part) => part !== false).join('\n\n') }),
    ...takesSchema(keyword.takes),
  };
}

/** What a keyword takes, as JSON Schema. */
function takesSchema(takes: Takes): EditorSchema {
  if (typeof takes === 'object') return { enum: takes.oneOf };
  switch (takes) {
    case 'text':
      return text;
    case 'variable':
      return { type: 'string', ...variableName };
    case 'template':
      return computable([{ type: 'string' }]);
    case 'names':
    case 'tags':
      return oneOrMore(text);
    case 'boolean':
      return { type: 'boolean' };
    case 'flag':
      return computable([{ type: 'boolean' }]);
    case 'conditions':
      return anyOf([condition, { type: 'array', items: condition }, expression]);
    case 'expression':
      return anyOf([condition, expression]);
    case 'variables':
      return variablesSchema;
    case 'environment':
      return computable([{ type: ['object', 'null'] }]);
    case 'list':
      return computable([{ type: 'array' }]);
    case 'count':
      return { type: 'integer', minimum: 1 };
    case 'retries':
      return { type: 'integer', minimum: 0 };
    case 'duration':
      return duration;
    case 'hosts':
      return anyOf([hostPattern, { type: 'array', items: hostPattern, minItems: 1 }]);
    case 'serial':
      return anyOf([hostCount, { type: 'array', items: hostCount }, ref('window')]);
    case 'run_once':
      return { enum: [true, false, 'batch'] };
    case 'tasks':
      return { type: ['array', 'null'], items: ref('task-list-item') };
    case 'handlers':
      return { type: ['array', 'null'], items: ref('handler-list-item') };
    case 'roles':
      return { type: ['array', 'null'], items: anyOf([text, ref('role')]) };
    case 'inputs':
      return { if: { type: 'string' }, then: text, else: ref('inputs') };
    case 'prompts':
      return { type: ['array', 'null'], items: ref('prompt') };
    case 'lease':
      return ref('lease');
    case 'loop_control':
      return ref('loop-control');
    case 'percentage':
      return percentage;
    case 'bake':
      return ref('bake');
    case 'max_per_group':
      return ref('max-per-group');
    case 'module_defaults':
      return ref('module-defaults');
  }
}

/** The definitions that keywords refer to and that stand for themselves. */
export function keywordParts(): Readonly<Record<string, EditorSchema>> {
  return {
    window: { ...closed({ window: described('How many hosts are in flight.', hostCount) }), required: ['window'] },
    'loop-control': closed({
      loop_var: described('The name of the item; item unless it is set.', text),
      index_var: described("A variable that has the item's number, from 0.", text),
      label: described('What is shown for an item, instead of the item.', computable([{ type: 'string' }])),
      pause: described('The time between two items.', duration),
    }),
    'max-per-group': {
      ...closed({
        by: described(
          'A CEL expression; hosts for which it gives the same are a group.',
          anyOf([condition, expression]),
        ),
        n: described('At most so many hosts of a group at a time.', { type: 'integer', minimum: 1 }),
      }),
      required: ['by', 'n'],
    },
    bake: {
      ...closed({
        seconds: described('How long a batch is watched before the next one starts.', { type: 'number', minimum: 0 }),
        tasks: described('The health gate: they run on the hosts of the batch.', {
          type: ['array', 'null'],
          items: ref('task-list-item'),
        }),
      }),
      minProperties: 1,
    },
    prompt: {
      ...closed({
        name: described('The variable.', text),
        prompt: described('What is asked.', text),
        private: described('Whether the answer is a secret and not shown. True unless it is set.', { type: 'boolean' }),
        default: described('What an empty answer means.', { type: ['string', 'number', 'boolean'] }),
        confirm: described('Whether it is asked for twice.', { type: 'boolean' }),
      }),
      required: ['name'],
    },
  };
}

function closed(properties: Readonly<Record<string, EditorSchema>>): EditorSchema {
  return { type: 'object', properties, additionalProperties: false };
}

function described(description: string, schema: EditorSchema): EditorSchema {
  return { description, ...schema };
}

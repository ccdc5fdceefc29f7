import { defineAction, type EvaluatedExpression, failure } from '../engine/index.ts';

export default defineAction({
  name: 'assert',
  summary: 'Fails the host when a condition is not true',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['that'],
    properties: {
      that: {
        description: 'One condition or a list of them; all must be true',
        anyOf: [
          { type: 'string', format: 'expression', description: 'A condition' },
          {
            type: 'array',
            minItems: 1,
            items: { type: 'string', format: 'expression', description: 'A condition' },
            description: 'Several conditions',
          },
        ],
      },
      message: { type: 'string', description: 'What to tell when one is not true, besides the condition itself' },
    },
  },
  returns: {},
  examples: `
- name: The version is one that this playbook knows
  assert:
    that:
      - version.startsWith("1.6") || version.startsWith("1.7")
      - groups["control"].size() > 0
    message: containerd 1.6 and 1.7 are known here
`,
  run: async ({ that, message }) => {
    const conditions: readonly EvaluatedExpression[] = 'text' in that ? [that] : that;
    const failed = conditions.filter((condition) => condition.value !== true);
    if (failed.length > 0) throw failure(message ?? headline(failed), failed.map(describe).join('\n'));
    return { message: conditions.length === 1 ? 'it is so' : `all ${conditions.length} conditions are true` };
  },
});

function headline(failed: readonly EvaluatedExpression[]): string {
  return failed.length === 1 ? 'a condition is not true:' : `${failed.length} conditions are not true:`;
}

function describe({ text, value }: EvaluatedExpression): string {
  // A value that is neither true nor false is a mistake in the condition, which must not pass for false.
  return value === false ? text : `${text}  (gives ${JSON.stringify(value)}, which is neither true nor false)`;
}

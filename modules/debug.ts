import { defineAction, Secret } from '../engine/index.ts';

export default defineAction({
  name: 'debug',
  summary: 'Shows a message or a value',
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      message: { type: 'string', secret: true, description: 'Text to show' },
      value: {
        secret: true,
        description: 'Anything to show as JSON, for example a registered result; instead of message',
      },
    },
  },
  returns: { value: { description: 'The value that was shown, if one was given' } },
  examples: `
- name: Say what was found
  debug:
    message: "{{ inventory_hostname }} runs {{ version.stdout }}"
- name: Show all of a result
  debug:
    value: "{{ version }}"
`,
  check: ({ message, value }) =>
    (message === undefined) === (value === undefined) ? ['exactly one of "message" and "value" is required'] : [],
  run: async ({ message, value }) => ({
    message: message === undefined ? show(value) : String(message),
    values: message === undefined ? { value } : {},
  }),
});

function show(value: unknown): string {
  return typeof value === 'string' || value instanceof Secret ? String(value) : JSON.stringify(value, null, 2);
}

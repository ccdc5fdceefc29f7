import { defineAction } from '../engine/index.ts';

export default defineAction({
  name: 'set-fact',
  summary: 'Sets variables of the host for the tasks after it',
  schema: {
    type: 'object',
    additionalProperties: true,
    secret: true,
    minProperties: 1,
    properties: {},
    description: 'Variables by name, with any value',
  },
  returns: {},
  examples: `
- name: Remember which runtime the node has now
  set-fact:
    runtime_before: "{{ runtime.stdout }}"
    is_docker: !expr runtime.stdout.startsWith("docker")
`,
  check: (args) =>
    Object.keys(args)
      .filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      .map((name) => `"${name}" is no name of a variable: letters, digits and _, no digit first`),
  sets: (args) => Object.keys(args),
  // The schema lets every name through.
  run: async (args) => ({ facts: args as Readonly<Record<string, unknown>> }),
});

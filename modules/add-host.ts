import { defineAction } from '../engine/index.ts';
import { groupNames, problemsWithNames } from './lib/group-names.ts';

export default defineAction({
  name: 'add-host',
  summary: 'Adds a host to the inventory of this run',
  description: `Later plays can name the host and its groups, and any task can be delegated to it. What \`group_vars\` and
\`host_vars\` say of new names counts. A host that is there already is put into the groups, too, and gets the variables
over those that it has. Nothing is written to the inventory, no host is
contacted, and check mode does it as well. Unlike Ansible's it runs on every host of the play, not on the first one only.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: {
      name: { type: 'string', minLength: 1, description: 'The name of the host, as in an inventory' },
      groups: { ...groupNames, description: 'Groups to put it into, made where there are none' },
      variables: {
        type: 'object',
        additionalProperties: true,
        properties: {},
        default: {},
        description: 'Variables of the host, such as ansible_host; their texts are data and never templates',
      },
    },
  },
  examples: `
- name: The new machine takes part from now on
  add-host:
    name: "{{ created.stdout }}"
    groups: [new]
    variables:
      ansible_host: 192.0.2.17
`,
  growsInventory: true,
  returns: {
    name: { type: 'string', description: 'The name of the host' },
    groups: { type: 'array', items: { type: 'string' }, description: 'The groups that it was put into' },
  },
  sets: ({ variables }) => (typeof variables === 'object' && variables !== null ? Object.keys(variables) : []),
  check: ({ name, groups, variables }) => [
    ...(/^[^\s,:;&!@~*?[\]{}"'#]([^\s,;&!*?[\]{}"'#]*)$/.test(name) ? [] : [`"${name}" is no name of a host`]),
    ...problemsWithNames([groups].flat()),
    ...Object.keys(variables)
      .filter((variable) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable))
      .map((variable) => `"${variable}" is no name of a variable: letters, digits and _, no digit first`),
  ],
  run: async ({ name, groups, variables }) => {
    const into = [groups].flat();
    return {
      adds: { hosts: [{ name, groups: into, variables }] },
      message: into.length > 0 ? `${name} is in ${into.join(', ')}` : `${name} is in the inventory`,
      values: { name, groups: into },
    };
  },
});

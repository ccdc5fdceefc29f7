import { defineAction } from '../engine/index.ts';
import { groupNames, problemsWithNames } from './lib/group-names.ts';

export default defineAction({
  name: 'group-by',
  summary: 'Puts the host into a group that is named by its variables',
  description: `Later plays can name the group. What \`group_vars\` says of it counts from the next task on. Nothing is
written to the inventory, and check mode does it as well.`,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['key'],
    properties: {
      key: { type: 'string', description: 'The name of the group; blanks in it become "-"' },
      parents: { ...groupNames, description: 'Groups of which it is made a child' },
    },
  },
  examples: `
- name: Tell Debian from the others
  group-by:
    key: os_{{ facts.os.id }}
    parents: [by_os]
`,
  growsInventory: true,
  returns: { group: { type: 'string', description: 'The name of the group' } },
  check: ({ key, parents }) => problemsWithNames([groupOf(key), ...[parents].flat()]),
  run: async ({ key, parents }, { host }) => {
    const name = groupOf(key);
    return {
      adds: { groups: [{ name, parents: [parents].flat() }], hosts: [{ name: host, groups: [name] }] },
      message: `is in ${name}`,
      values: { group: name },
    };
  },
});

function groupOf(key: string): string {
  return key.trim().replaceAll(/\s+/g, '-');
}

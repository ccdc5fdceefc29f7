import { defineAction, failure } from '../engine/index.ts';

export default defineAction({
  name: 'fail',
  summary: 'Fails the host with a message',
  description: 'In check mode too: what would stop a run is what an audit must tell.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['message'],
    properties: { message: { type: 'string', minLength: 1, description: 'Why, and what to do about it' } },
  },
  returns: {},
  examples: `
- name: Stop on hosts without cgroups
  fail:
    message: this host has no cgroup file system; mount one first
  when: facts.os.family == "alpine"
`,
  run: async ({ message }) => {
    throw failure(message);
  },
});

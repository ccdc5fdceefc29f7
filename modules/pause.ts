import { defineAction } from '../engine/index.ts';

export default defineAction({
  name: 'pause',
  summary: 'Waits a fixed time; check mode does not wait',
  description: 'To wait for something, `wait-for` is quicker and surer than a guess in seconds.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['seconds'],
    properties: {
      seconds: { type: 'number', minimum: 0, maximum: 86400, description: 'How long to wait' },
      reason: { type: 'string', description: 'What the time is for, shown while waiting' },
    },
  },
  returns: {},
  examples: `
- name: Let the load balancer notice
  pause:
    seconds: 15
    reason: the load balancer asks every 5 s
`,
  run: async ({ seconds, reason }, { sleep, isCheckMode }) => {
    const because = reason === undefined ? '' : `: ${reason}`;
    if (isCheckMode) return { message: `would wait ${seconds} s${because}` };
    await sleep(seconds * 1000, reason ?? 'the time of the pause to pass');
    return { message: `waited ${seconds} s${because}` };
  },
});

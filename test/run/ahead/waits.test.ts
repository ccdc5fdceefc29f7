import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { withTemporaryFolder } from '../../support/module-rig.ts';
import { play } from '../../support/play.ts';

/** A module of a user's own that lets time pass on the controller. */
const dawdle = `
import { defineAction } from 'runbook';
export default defineAction({
  name: 'dawdle', summary: 'Calls something slow',
  schema: { type: 'object', additionalProperties: false, properties: {} },
  async run() { await new Promise((done) => setTimeout(done, 3500)); return {}; },
});`;

/** Whatever lets time pass on a host: what was asked before it is not what is there after it. */
const waits: Readonly<Record<string, string>> = {
  'a pause': '{ name: wait, pause: { seconds: 0.5 } }',
  'a pause once for all': '{ name: wait, pause: { seconds: 0.5 }, run_once: true }',
  'attempts with a delay':
    '{ name: wait, command: { cmd: test -e DIR/never, reads: true }, retries: 1, delay: 0.5, ignore_errors: true }',
  'a loop with a pause': '{ name: wait, debug: { message: x }, loop: [1, 2], loop_control: { pause: 0.5 } }',
  'a command that reads and takes its time': '{ name: wait, command: { cmd: sleep 3.5, reads: true } }',
  'an action that takes its time': '{ name: wait, dawdle: {} }',
};

describe('what was asked before a host waited', function () {
  this.timeout(60_000);
  for (const [what, task] of Object.entries(waits)) {
    it(`is asked again after ${what}`, () =>
      withTemporaryFolder(async (folder) => {
        const place = join(folder, 'place');
        mkdirSync(place);
        const playbook = `- hosts: h1
  tasks:
    - { name: before, file: { path: DIR, state: directory } }
    - ${task}
    - { name: after, file: { path: DIR/place, state: directory } }
`;
        const run = await play(
          folder,
          { 'play.yaml': playbook.replaceAll('DIR', folder), 'modules/dawdle.ts': dawdle },
          {
            onEvent: (event) => {
              if (event.type === 'host-task-started' && event.task.name === 'wait') rmdirSync(place);
            },
          },
        );
        expect(run.ends.filter((end) => !end.includes(': wait:'))).to.deep.equal([
          'h1: before: ok',
          'h1: after: changed',
        ]);
        expect(existsSync(place)).to.equal(true);
      }));
  }
});

import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { systemClock } from '../../../engine/base/clock.ts';
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

/** A module of a user's own that looks for the file `late`, and perhaps insists on it. */
const looks = `
import { defineModule, failure, probe, sh } from 'runbook';
export default defineModule({
  name: 'looks', summary: 'Looks for a file',
  schema: { type: 'object', additionalProperties: false, properties: { insists: { type: 'boolean' } } },
  probe: ({ insists }) => probe(sh\`if test -e DIR/late; then echo late; fi\`, ({ stdout }) => {
    if (insists && stdout === '') throw failure('it is not there');
    return stdout.trim();
  }),
  diff: () => [], *apply() {}, result: (stdout) => ({ stdout }),
});`;

/** Tasks that somebody goes by; and how the last of them ends, with what it says. */
const readers: Readonly<Record<string, readonly [tasks: string, end: string]>> = {
  'a task that would fail': ['{ name: last, looks: { insists: true } }', 'ok []'],
  'what a task registers': [
    '{ looks: {}, register: found }\n    - { name: last, debug: { message: "it is {{ found.stdout }}" } }',
    'ok it is late',
  ],
  'a condition about the result': [
    '{ name: last, looks: {}, failed_when: result.stdout == "late" }',
    'failed failed_when: result.stdout == "late"',
  ],
};

describe('what was asked half a minute ago and more', function () {
  this.timeout(60_000);
  for (const [what, [tasks, end]] of Object.entries(readers)) {
    it(`is asked again for ${what}`, () =>
      withTemporaryFolder(async (folder) => {
        const playbook = `- hosts: h1
  tasks:
    - { name: before, file: { path: DIR, state: directory } }
    - ${tasks}
`;
        let passedMs = 0;
        const run = await play(
          folder,
          { 'play.yaml': playbook.replaceAll('DIR', folder), 'modules/looks.ts': looks.replaceAll('DIR', folder) },
          {
            clock: { ...systemClock, now: () => systemClock.now() + passedMs },
            onEvent: (event) => {
              if (event.type !== 'task-started' || event.task.name === 'before') return;
              passedMs += 31_000;
              writeFileSync(join(folder, 'late'), '');
            },
          },
        );
        expect(`${run.ends.at(-1)} ${run.said('last')}`).to.equal(`h1: last: ${end}`);
      }));
  }
});

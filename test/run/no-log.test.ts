import { expect } from 'chai';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { type PlayRun, play } from '../support/play.ts';

/** Plays tasks of which some hide `hunter2`, and shows every event of it as one text. */
function eventsOf(
  tasks: string,
  files: Readonly<Record<string, string>>,
  body: (events: string, run: PlayRun) => void,
) {
  return withTemporaryFolder(async (folder) => {
    const yaml = `- hosts: h1\n  vars: { secret: hunter2 }\n  tasks:\n${tasks}`.replaceAll('DIR', folder);
    const run = await play(folder, { 'play.yaml': yaml, ...files });
    body(JSON.stringify(run.events), run);
  });
}

const lease = `
import { defineLease, exec, failure, probe, sh } from 'runbook';
export default defineLease({
  name: 'hold', summary: 'Holds a word',
  schema: { type: 'object', additionalProperties: false, required: ['word'], properties: { word: { type: 'string' } } },
  probe: () => probe(sh\`true\`, () => null),
  diff: (current, { word }) => [{ path: 'word', before: current, after: word }],
  grant: ({ args }) => ({ word: args.word }),
  *acquire({ args }) { yield exec(sh\`echo \${args.word}\`); },
  *release({ grant }) { throw failure('cannot give back ' + grant.word); },
});`;

describe('no_log', () => {
  it('hides the items of a loop: their names, changes and failures', () =>
    eventsOf(
      `    - { name: quiet, copy: { content: "{{ item }}", dest: DIR/x }, loop: ["{{ secret }}", other], no_log: true }
    - { name: bad, fail: { message: "{{ item }}" }, loop: ["{{ secret }}"], no_log: true }
`,
      {},
      (events, run) => {
        expect(run.ends).to.deep.equal(['h1: quiet: changed', 'h1: bad: failed']);
        expect(events).to.not.contain('hunter2');
      },
    ));

  it('hides what is waited for', () =>
    eventsOf(
      '    - { name: wait, wait-for: { path: "DIR/{{ secret }}", timeout: 1 }, no_log: true }\n',
      {},
      (events, run) => {
        expect(run.ends).to.deep.equal(['h1: wait: failed']);
        expect(events).to.not.contain('hunter2');
      },
    ));

  it('hides what a lease holds, and why it could not be given back', () =>
    eventsOf(
      `    - lease: { name: held, hold: { word: "{{ secret }}" }, no_log: true }
      block: [{ name: change, file: { path: DIR/x, state: directory } }]
`,
      { 'modules/hold.ts': lease },
      (events, run) => {
        expect(run.summary[0]?.state).to.equal('failed');
        expect(run.summary[0]?.leases).to.have.length(1);
        expect(events).to.not.contain('hunter2');
      },
    ));
});

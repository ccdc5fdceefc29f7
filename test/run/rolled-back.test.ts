import { expect } from 'chai';
import type { StampedEvent } from '../../engine/base/events.ts';
import { createPaint } from '../../engine/report/paint.ts';
import { formatRecap } from '../../engine/report/recap.ts';
import { localHosts, type PlayRun, playFiles } from '../support/play.ts';

/** `meta: rolled_back`: a host that failed and is as it was before. */

const lease = `
import { defineLease, exec, probe, sh } from 'runbook';
export default defineLease({
  name: 'hold', summary: 'Holds a file',
  schema: { type: 'object', additionalProperties: false, required: ['path'], properties: { path: { type: 'string' } } },
  probe: ({ path }) => probe(sh\`test -e \${path}\`, ({ rc }) => rc === 0),
  diff: (isThere, { path }) => (isThere ? [] : [{ path, before: null, after: 'held' }]),
  grant: ({ args }) => ({ path: args.path }),
  *acquire({ args }) { yield exec(sh\`echo held > \${args.path}\`); },
  *release({ grant }) { yield exec(sh\`rm -f \${grant.path}\`); },
});`;

function playOn(yaml: string, body: (run: PlayRun) => unknown, hosts = 2): Promise<void> {
  return playFiles({ 'hosts.ini': localHosts(hosts), 'play.yaml': yaml, 'modules/hold.ts': lease }, async (run) => {
    await body(run);
  });
}

const of = (run: PlayRun, host: string): string[] =>
  run.ends.filter((line) => line.startsWith(`${host}: `)).map((line) => line.slice(host.length + 2));
const recapOf = (run: PlayRun): string => {
  const end = run.events.find((e): e is StampedEvent & { type: 'run-ended' } => e.type === 'run-ended');
  return end ? formatRecap(end, { isCheckMode: false, paint: createPaint(false) }) : '';
};
const bad = '{ name: bad, fail: { message: does not start }, when: inventory_hostname == "h1" }';

describe('meta: rolled_back', () => {
  it('ends the run for the host, with the failure that led to the rescue, and with exit code 7', () =>
    playOn(
      `- hosts: web
  tasks:
    - block: [${bad}]
      rescue:
        - { name: undo, debug: { message: x } }
        - { name: mark, meta: rolled_back }
        - { name: never, debug: { message: x } }
      always: [{ name: tidy, debug: { message: x } }]
    - { name: after, debug: { message: x } }
- hosts: web
  tasks: [{ name: next play, debug: { message: x } }]
`,
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['bad: failed', 'undo: ok', 'mark: ok', 'tidy: ok']);
        expect(of(run, 'h2').at(-1)).to.equal('next play: ok');
        const [h1] = run.summary;
        expect([h1?.state, h1?.failure?.task, h1?.failure?.message]).to.deep.equal([
          'rolled-back',
          'bad',
          'does not start',
        ]);
        expect(run.exitCode).to.equal(7);
        expect(recapOf(run))
          .to.contain('  h1  rolled back  ok=3  changed=0  failed=1')
          .and.contain('ROLLED BACK after bad: h1\n    does not start')
          .and.contain('exit 7: a host was rolled back');
      },
    ));

  it('is met by no rescue around, and by the always of every block around', () =>
    playOn(
      `- hosts: h1
  tasks:
    - block:
        - block: [${bad}]
          rescue: [{ meta: rolled_back }]
      rescue: [{ name: outer, debug: { message: x } }]
      always: [{ name: outer always, debug: { message: x } }]
`,
      (run) => expect(of(run, 'h1')).to.deep.equal(['bad: failed', 'rolled_back: ok', 'outer always: ok']),
    ));

  it('keeps its reason where something else failed and was rescued on the way back', () =>
    playOn(
      `- hosts: h1
  tasks:
    - block: [${bad}]
      rescue:
        - block: [{ name: hiccup, fail: { message: hiccup } }]
          rescue: [{ name: go on, debug: { message: x } }]
        - meta: rolled_back
`,
      (run) => {
        expect(run.summary[0]?.state).to.equal('rolled-back');
        expect(run.summary[0]?.failure?.task).to.equal('bad');
      },
    ));

  it('forgets what the host has notified: it is undone', () =>
    playOn(
      `- hosts: h1
  force_handlers: true
  tasks:
    - block: [{ name: change, shell: { cmd: "true" }, notify: restart }, ${bad}]
      rescue: [{ meta: rolled_back }]
  handlers: [{ name: restart, debug: { message: x } }]
`,
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['change: changed', 'bad: failed', 'rolled_back: ok']);
        expect(run.summary[0]?.pendingHandlers).to.deep.equal([]);
      },
    ));

  it('counts in the failure budget', () =>
    playOn(
      `- hosts: web
  serial: 1
  max_failures: 1
  tasks:
    - block: [${bad}]
      rescue: [{ meta: rolled_back }]
`,
      (run) => {
        expect(run.summary.map((h) => h.state)).to.deep.equal(['rolled-back', 'not-started', 'not-started']);
        expect(run.exitCode).to.equal(6);
        expect(recapOf(run)).to.contain(
          'stopped: 1 of 3 hosts down (h1 rolled back), max_failures 1: 2 hosts not started',
        );
      },
      3,
    ));

  const policies: readonly [string, string, boolean][] = [
    ['kept when something under it changed the host', '', true],
    ['given back where on_failure says so', ', on_failure: release', false],
  ];
  for (const [title, policy, isKept] of policies) {
    it(`a lease around is ${title}, as after any failure`, () =>
      playOn(
        `- hosts: h1
  tasks:
    - lease: { name: held, hold: { path: "DIR/lease" }${policy} }
      block: [{ name: change, shell: { cmd: "true" } }, ${bad}]
      rescue: [{ meta: rolled_back }]
`,
        (run) => {
          expect(run.summary[0]?.state).to.equal('rolled-back');
          expect(run.summary[0]?.leases.map(({ task }) => task)).to.deep.equal(isKept ? ['held'] : []);
        },
      ));
  }

  it('with a condition that is not so lets the rescue go on', () =>
    playOn(
      `- hosts: h1
  tasks:
    - block: [${bad}]
      rescue:
        - { name: mark, meta: rolled_back, when: false }
        - { name: tell, fail: { message: not undone } }
`,
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['bad: failed', 'mark: skipped', 'tell: failed']);
        expect(run.exitCode).to.equal(2);
      },
    ));

  it('is not believed of a host that is out of reach when tasks of the way back were not run', () =>
    playFiles(
      {
        'hosts.ini': 'h1 ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1\n',
        'play.yaml': `- hosts: h1
  gather_facts: false
  tasks:
    - block: [{ name: work, command: { argv: ["true"] } }]
      rescue:
        - { name: undo, command: { argv: ["true"] } }
        - { name: mark, meta: rolled_back }
`,
      },
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['work: unreachable', 'undo: skipped', 'mark: skipped']);
        expect(run.summary[0]?.state).to.equal('unreachable');
        expect(run.exitCode).to.equal(4);
      },
    ));

  it('stands in a rescue only', async () => {
    const error = await playOn('- hosts: h1\n  tasks: [{ meta: rolled_back }]\n', () => undefined).catch((e) => e);
    expect(String(error.message))
      .to.contain('rolled_back stands in a rescue')
      .and.contain('hint: put it at the end of the rescue');
  });
});

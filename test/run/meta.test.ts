import { expect } from 'chai';
import { localHosts, type PlayRun, playFiles } from '../support/play.ts';

/** `meta: end_host`, `end_batch` and `end_play`. */

const of = (run: PlayRun, host: string): string[] =>
  run.ends.filter((line) => line.startsWith(`${host}: `)).map((line) => line.slice(host.length + 2));
const playIn = (yaml: string, body: (run: PlayRun) => void, hosts = 3) =>
  playFiles({ 'hosts.ini': localHosts(hosts), 'play.yaml': yaml }, body);
const states = (run: PlayRun): string[] => run.summary.map((host) => host.state);

describe('meta: end_host', () => {
  it('ends the play for the hosts where it is asked for; they have not failed and take part in later plays', () =>
    playIn(
      `- hosts: web
  tasks:
    - { name: end, meta: end_host, when: inventory_hostname == "h2" }
    - { name: next, debug: { message: x } }
- hosts: web
  tasks: [{ name: later, debug: { message: x } }]
`,
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['end: skipped', 'next: ok', 'later: ok']);
        expect(of(run, 'h2')).to.deep.equal(['end: ok', 'later: ok']);
        expect(run.said('end')).to.contain('when: ');
        expect(states(run)).to.deep.equal(['ok', 'ok', 'ok']);
        expect(run.exitCode).to.equal(0);
      },
    ));

  it('leaves a block through its always, gives no rescue, and notified handlers run', () =>
    playIn(
      `- hosts: h1
  tasks:
    - { name: change, file: { path: DIR/x, state: directory }, notify: handle }
    - block:
        - { name: end, meta: end_host }
        - { name: body, debug: { message: x } }
      rescue:
        - { name: rescue, debug: { message: x } }
      always:
        - { name: always 1, debug: { message: x } }
        - { name: always 2, debug: { message: x } }
    - { name: after, debug: { message: x } }
  handlers:
    - { name: handle, debug: { message: x } }
`,
      (run) => {
        expect(of(run, 'h1')).to.deep.equal([
          'change: changed',
          'end: ok',
          'always 1: ok',
          'always 2: ok',
          'handle: ok',
        ]);
        expect(states(run)).to.deep.equal(['changed']);
      },
    ));

  it('in a rescue ends a host that counts as rescued', () =>
    playIn(
      `- hosts: h1
  tasks:
    - block: [{ name: bad, fail: { message: no } }]
      rescue: [{ name: end, meta: end_host }]
    - { name: after, debug: { message: x } }
`,
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['bad: failed', 'end: ok']);
        expect(run.summary[0]).to.deep.include({ state: 'ok' });
        expect(run.summary[0]?.counts.rescued).to.equal(1);
      },
    ));

  it('whose condition cannot be evaluated fails the host', () =>
    playIn(
      '- hosts: h1\n  tasks:\n    - { name: end, meta: end_host, when: hostvars.h2.nothing == 1 }\n    - { name: next, debug: { message: x } }\n',
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['end: failed']);
        expect(run.exitCode).to.equal(2);
      },
    ));
});

describe('meta: end_batch', () => {
  it('ends the play for all hosts of the batch when one asks for it; the next batch starts', () =>
    playIn(
      `- hosts: web
  serial: 2
  tasks:
    - { name: end, meta: end_batch, when: inventory_hostname == "h2" }
    - { name: next, debug: { message: x } }
`,
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['end: skipped']);
        expect(of(run, 'h2')).to.deep.equal(['end: ok']);
        expect(of(run, 'h3')).to.deep.equal(['end: skipped', 'next: ok']);
      },
    ));
});

describe('meta: end_play', () => {
  it('ends the play for all hosts when one asks for it, starts no further batch, and later plays run', () =>
    playIn(
      `- hosts: web
  serial: 2
  tasks:
    - { name: end, meta: end_play, when: inventory_hostname == "h2" }
    - { name: next, debug: { message: x } }
- hosts: h2
  tasks: [{ name: later, debug: { message: x } }]
`,
      (run) => {
        expect(run.ends).to.deep.equal(['h1: end: skipped', 'h2: end: ok', 'h2: later: ok']);
        expect(states(run)).to.deep.equal(['ok', 'ok', 'not-started']);
        expect(run.exitCode).to.equal(0);
      },
    ));

  it('with strategy free ends the others once the task in hand is done', () =>
    playIn(
      `- hosts: web
  strategy: free
  tasks:
    - { name: wait, command: { argv: [sleep, "0.3"], reads: true }, when: inventory_hostname != "h1" }
    - { name: end, meta: end_play, when: inventory_hostname == "h1" }
    - { name: next, debug: { message: x } }
`,
      (run) => {
        expect(of(run, 'h1')).to.deep.equal(['wait: skipped', 'end: ok']);
        expect(of(run, 'h2')).to.deep.equal(['wait: ok']);
        expect(of(run, 'h3')).to.deep.equal(['wait: ok']);
      },
    ));
});

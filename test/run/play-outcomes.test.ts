import { expect } from 'chai';
import type { RunRequest } from '../../engine/run/request.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { type PlayRun, play } from '../support/play.ts';

/** What the parts of a play mean for each other: whole playbooks on local hosts. `DIR` is the playbook's folder. */
function playIn(
  yaml: string,
  body: (run: PlayRun) => void,
  options: Partial<RunRequest> & { files?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const { files = {}, ...request } = options;
  return withTemporaryFolder(async (folder) =>
    body(await play(folder, { 'play.yaml': yaml.replaceAll('DIR', folder), ...files }, request)),
  );
}

const refusing = `
import { defineLease, failure, probe, sh } from 'runbook';
export default defineLease({
  name: 'hold', summary: 'Is never given',
  schema: { type: 'object', additionalProperties: false, properties: {} },
  probe: () => probe(sh\`true\`, () => null),
  diff: () => [{ path: 'x', before: null, after: 'held' }],
  grant: () => null,
  *acquire() { throw failure('refused'); },
  *release() {},
});`;

describe('a refused lease', () => {
  it('is not rescued by a block inside of it: nothing was done there either', () =>
    playIn(
      `- hosts: h1
  tasks:
    - lease: { name: held, hold: {} }
      block:
        - block: [{ name: change, file: { path: DIR/x, state: directory } }]
          rescue: [{ name: mend, debug: { message: x } }]
    - { name: after, debug: { message: x } }
`,
      (run) => {
        expect(run.ends).to.deep.equal(['h1: held: failed', 'h1: change: skipped']);
        expect(run.summary[0]?.state).to.equal('failed');
        expect(run.exitCode).to.equal(2);
      },
      { files: { 'modules/hold.ts': refusing } },
    ));
});

describe('a lease whose condition is wrong', () => {
  it('was not taken, so its block is not rescued', () =>
    playIn(
      `- hosts: h1
  tasks:
    - { name: text, set-fact: { word: '{{ lower "HELLO" }}' } }
    - lease: { name: held, hold: {}, when: word }
      block: [{ name: change, file: { path: DIR/x, state: directory } }]
      rescue: [{ name: mend, debug: { message: x } }]
`,
      (run) => {
        expect(run.ends).to.deep.equal(['h1: text: ok', 'h1: held: failed', 'h1: change: skipped']);
        expect(run.exitCode).to.equal(2);
      },
      { files: { 'modules/hold.ts': refusing } },
    ));
});

describe('run_once', () => {
  it('that fails stops every host, also those of later batches', () =>
    playIn(
      `- hosts: web
  serial: 1
  tasks:
    - { name: once, fail: { message: broken }, run_once: true }
    - { name: change, file: { path: "DIR/{{ inventory_hostname }}", state: directory } }
`,
      (run) => {
        expect(run.ends).to.deep.equal(['h1: once: failed', 'h2: once: failed']);
        expect(run.summary.map((h) => h.state)).to.deep.equal(['failed', 'failed']);
        expect(run.summary[1]?.failure?.message).to.contain('h1').and.contain('broken');
      },
    ));

  it('sets facts for every host', () =>
    playIn(
      `- hosts: web
  tasks:
    - { name: once, set-fact: { word: hello }, run_once: true }
    - { name: show, debug: { message: "{{ word }}" } }
`,
      (run) => expect(run.summary.map((h) => h.state)).to.deep.equal(['ok', 'ok']),
    ));
});

describe('a loop', () => {
  it('of which one turn changed and another was ignored has changed, and notifies', () =>
    playIn(
      `- hosts: h1
  tasks:
    - name: turns
      shell: { cmd: "{{ item }}" }
      loop: ["true", "false"]
      ignore_errors: true
      register: out
      notify: handle
    - { name: show, debug: { message: "{{ out.changed }} {{ out.failed }}" } }
  handlers: [{ name: handle, debug: { message: x } }]
`,
      (run) => {
        expect(run.ends).to.deep.equal(['h1: turns: changed', 'h1: show: ok', 'h1: handle: ok']);
        expect(run.said('show')).to.equal('true true');
        expect(run.summary[0]?.state).to.equal('changed');
      },
    ));

  it('goes over numbers', () =>
    playIn(
      '- hosts: h1\n  tasks: [{ name: count, debug: { message: "{{ item }}" }, loop: !expr "[1, 2]" }]\n',
      (run) => {
        expect(run.ends).to.deep.equal(['h1: count: ok']);
        expect(run.events.flatMap((e) => (e.type === 'item-ended' ? [e.item] : []))).to.deep.equal(['1', '2']);
      },
    ));

  it('in check mode is unknown where a turn is, and so is what depends on it', () =>
    playIn(
      `- hosts: h1
  tasks:
    - { name: effect, shell: { cmd: "true" }, register: one, changed_when: false }
    - { name: turns, shell: { cmd: "true" }, loop: [a, b], when: 'item == "x" || one.stdout == "y"', register: out }
    - { name: on change, shell: { cmd: "true" }, when: out.changed }
    - { name: read, command: { argv: [uname], reads: true } }
`,
      (run) =>
        expect(run.ends).to.deep.equal([
          'h1: effect: ok',
          'h1: turns: unknown',
          'h1: on change: unknown',
          'h1: read: unknown',
        ]),
      { isCheckMode: true },
    ));
});

describe('a handler', () => {
  it('in check mode is unknown where only an unknown task would notify it', () =>
    playIn(
      `- hosts: h1
  tasks:
    - { name: effect, shell: { cmd: "true" }, register: one, changed_when: false }
    - { name: maybe, shell: { cmd: "true" }, when: 'one.stdout == "y"', notify: handle }
  handlers: [{ name: handle, shell: { cmd: "true" } }]
`,
      (run) => {
        expect(run.ends).to.deep.equal(['h1: effect: ok', 'h1: maybe: unknown', 'h1: handle: unknown']);
        expect(run.summary[0]?.pendingHandlers).to.deep.equal([]);
      },
      { isCheckMode: true },
    ));
});

describe('timeout', () => {
  it('holds for all attempts of a task together', async () => {
    const started = Date.now();
    await playIn(
      '- hosts: h1\n  tasks: [{ name: again, shell: { cmd: exit 1 }, retries: 50, delay: 0.5, timeout: 1 }]\n',
      (run) => {
        expect(run.ends).to.deep.equal(['h1: again: failed']);
        expect(run.summary[0]?.failure?.code).to.equal('timeout');
      },
    );
    expect(Date.now() - started).to.be.lessThan(4000);
  }).timeout(40_000);

  it('holds for actions too', () =>
    playIn('- hosts: h1\n  tasks: [{ name: long, pause: { seconds: 20 }, timeout: 1 }]\n', (run) => {
      expect(run.ends).to.deep.equal(['h1: long: failed']);
      expect(run.summary[0]?.failure?.code).to.equal('timeout');
    })).timeout(30_000);
});

describe('--tags', () => {
  it('reaches the always part of a block of which nothing else is left', () =>
    playIn(
      `- hosts: h1
  tasks:
    - block: [{ name: body, debug: { message: x } }]
      always: [{ name: tidy, debug: { message: x }, tags: [tidy] }]
`,
      (run) => expect(run.ends).to.deep.equal(['h1: tidy: ok']),
      { tags: ['tidy'] },
    ));
});

import { expect } from 'chai';
import { type PlayRun, playFiles } from '../support/play.ts';

/**
 * A host that cannot be reached is an ordinary failure: its rescue and `always` run as far as they do without it. `h1` is
 * this machine; `h2` is behind a closed port until the variable `how` says otherwise.
 */
const hosts = `[web]
h1 ansible_connection=local
h2 ansible_connection={{how}} ansible_host=127.0.0.1 ansible_port=1
[web:vars]
how=ssh
`;

const modules = {
  'modules/ask.ts': `
import { defineModule, probe, sh } from 'runbook';
export default defineModule({
  name: 'ask', summary: 'Asks the host for nothing',
  schema: { type: 'object', additionalProperties: false, properties: {} },
  probe: () => probe(sh\`true\`, () => null), diff: () => [], *apply() {},
});`,
  'modules/lose.ts': `
import { defineAction, RunbookError } from 'runbook';
export default defineAction({
  name: 'lose', summary: 'Loses the link to the host',
  schema: { type: 'object', additionalProperties: false, properties: {} },
  run() { throw new RunbookError('unreachable', 'the link was lost'); },
});`,
  'modules/hold.ts': `
import { defineLease, exec, probe, sh } from 'runbook';
export default defineLease({
  name: 'hold', summary: 'Holds a file',
  schema: { type: 'object', additionalProperties: false, required: ['path'], properties: { path: { type: 'string' } } },
  probe: ({ path }) => probe(sh\`test -e \${path}\`, ({ rc }) => rc === 0),
  diff: (isThere, { path }) => (isThere ? [] : [{ path, before: null, after: 'held' }]),
  grant: ({ args }) => ({ path: args.path }),
  *acquire({ args }) { yield exec(sh\`echo held > \${args.path}\`); },
  *release({ grant }) { yield exec(sh\`rm -f \${grant.path}\`); },
});`,
};

function playOn(tasks: string, body: (run: PlayRun) => unknown, more = '', head = ''): Promise<void> {
  const yaml = `- hosts: web\n  gather_facts: false\n${head}  tasks:\n${tasks}${more}`;
  return playFiles({ 'hosts.ini': hosts, 'play.yaml': yaml, ...modules }, async (run) => {
    await body(run);
  });
}

const of = (run: PlayRun, host: string): string[] =>
  run.ends.filter((line) => line.startsWith(`${host}: `)).map((line) => line.slice(host.length + 2));
const stateOf = (run: PlayRun, host: string) => run.summary.find((h) => h.host === host)?.state;
const why = (run: PlayRun, task: string): string | undefined =>
  run.events.flatMap((e) =>
    e.type === 'host-task-ended' && e.host === 'h2' && e.task.name === task ? [e.message] : [],
  )[0];

const body = `    - block: [{ name: work, ask: {} }]\n`;

describe('an unreachable host', () => {
  it('goes through a rescue that needs only the controller, is rescued, and goes on', () =>
    playOn(
      `${body}      rescue:
        - { name: tell, debug: { message: "{{ failed_task.name }}: {{ failed_result.code }}" } }
        - { name: note, shell: { cmd: "true", reads: true }, delegate_to: localhost }
    - { name: after, debug: { message: x } }
`,
      (run) => {
        expect(of(run, 'h2')).to.deep.equal(['work: unreachable', 'tell: ok', 'note: ok', 'after: ok']);
        expect(run.said('tell')).to.equal('work: unreachable');
        const h2 = run.summary.find((h) => h.host === 'h2');
        expect([h2?.state, h2?.counts.rescued, h2?.counts.unreachable, h2?.failure]).to.deep.equal([
          'ok',
          1,
          0,
          undefined,
        ]);
        expect(run.exitCode).to.equal(0);
      },
    ));

  it('that was rescued is tried again by the next task that needs it', () =>
    playOn(
      `${body}      rescue: [{ name: another way, set-fact: { how: local } }]
    - { name: after, ask: {} }
`,
      (run) => {
        expect(of(run, 'h2')).to.deep.equal(['work: unreachable', 'another way: ok', 'after: ok']);
        expect(run.exitCode).to.equal(0);
      },
    ));

  it('that was rescued and is out of reach still is unreachable', () =>
    playOn(
      `${body}      rescue: [{ name: mend, debug: { message: x } }]
    - { name: after, ask: {} }
    - { name: never, debug: { message: x } }
`,
      (run) => {
        expect(of(run, 'h2')).to.deep.equal(['work: unreachable', 'mend: ok', 'after: unreachable']);
        expect(stateOf(run, 'h2')).to.equal('unreachable');
        expect(run.exitCode).to.equal(4);
      },
    ));

  it('is not rescued where a task of the rescue needs it: that one is told as not run, the others run', () =>
    playOn(
      `${body}      rescue:
        - { name: mend, ask: {} }
        - { name: take out, shell: { cmd: "true", reads: true }, delegate_to: localhost }
    - { name: after, debug: { message: x } }
`,
      (run) => {
        expect(of(run, 'h2')).to.deep.equal(['work: unreachable', 'mend: skipped', 'take out: ok']);
        expect(why(run, 'mend')).to.equal('not run: h2 is unreachable');
        expect(stateOf(run, 'h2')).to.equal('unreachable');
        expect(run.summary[1]?.failure?.task).to.equal('work');
        expect(run.exitCode).to.equal(4);
        expect(of(run, 'h1')).to.deep.equal(['work: ok', 'after: ok']);
      },
    ));

  it('goes through always in the same way, and stays what it is', () =>
    playOn(
      `${body}      always:
        - { name: own, ask: {} }
        - { name: elsewhere, shell: { cmd: "true", reads: true }, delegate_to: h1 }
        - { name: each, shell: { cmd: "true", reads: true }, delegate_to: "{{ item }}", loop: [h2, localhost] }
`,
      (run) => {
        expect(of(run, 'h2')).to.deep.equal(['work: unreachable', 'own: skipped', 'elsewhere: ok', 'each: ok']);
        expect(stateOf(run, 'h2')).to.equal('unreachable');
        expect(run.exitCode).to.equal(4);
      },
    ));

  it('stays unreachable, for its own reason, when a task of its rescue fails on the controller', () =>
    playOn(
      `${body}      rescue: [{ name: tell, fail: { message: sorry } }]
`,
      (run) => {
        expect(of(run, 'h2')).to.deep.equal(['work: unreachable', 'tell: failed']);
        expect(stateOf(run, 'h2')).to.equal('unreachable');
        expect(run.summary[1]?.failure?.task).to.equal('work');
        expect(run.exitCode).to.equal(4);
      },
    ));

  it('is tried once for a block, however many blocks are around', () =>
    playOn(
      `    - block:
        - block: [{ name: work, ask: {} }]
          rescue: [{ name: inner, ask: {} }]
          always: [{ name: inner always, ask: {} }]
      rescue: [{ name: outer, debug: { message: x } }]
    - { name: after, debug: { message: x } }
`,
      (run) => {
        expect(of(run, 'h2')).to.deep.equal([
          'work: unreachable',
          'inner: skipped',
          'inner always: skipped',
          'outer: ok',
          'after: ok',
        ]);
        expect(run.exitCode).to.equal(0);
      },
    ));

  it('does not make a task of another host one that is not tried', () =>
    playOn(
      `    - block: [{ name: work, ask: {}, delegate_to: h2, when: inventory_hostname == "h1" }]
      rescue: [{ name: mend, ask: {} }]
`,
      (run) => {
        // h1 itself is there: it was h2 that the task could not reach.
        expect(of(run, 'h1')).to.deep.equal(['work: unreachable', 'mend: ok']);
        expect(stateOf(run, 'h1')).to.equal('ok');
      },
    ));

  it('leaves a run_once task of the rescue to the next host', () =>
    playOn(
      `    - block: [{ name: work, ask: {} }, { name: bad, fail: { message: no } }]
      rescue: [{ name: once, ask: {}, run_once: true }]
`,
      (run) => {
        expect(of(run, 'h2')).to.deep.equal(['work: unreachable', 'once: skipped']);
        expect(of(run, 'h1')).to.deep.equal(['work: ok', 'bad: failed', 'once: ok']);
        expect([stateOf(run, 'h1'), stateOf(run, 'h2')]).to.deep.equal(['ok', 'unreachable']);
      },
      '',
      '  order: reverse_inventory\n',
    ));

  it('does not run in its rescue what reads facts that nobody can gather', () =>
    playFiles(
      {
        'hosts.ini': hosts,
        'play.yaml': `- hosts: h2
  tasks:
    - block: [{ name: work, ask: {} }]
      rescue:
        - { name: reads, debug: { message: "{{ facts.os.family }}" } }
        - { name: reads not, debug: { message: x } }
`,
        ...modules,
      },
      (run) => {
        expect(of(run, 'h2')).to.deep.equal(['work: unreachable', 'reads: skipped', 'reads not: ok']);
        expect(why(run, 'reads')).to.equal('not run: h2 is unreachable');
        expect(stateOf(run, 'h2')).to.equal('unreachable');
      },
    ));

  it('gives back a lease that the controller holds', () =>
    playOn(
      `    - lease: { name: held, hold: { path: "DIR/lease-{{ inventory_hostname }}" }, delegate_to: localhost, on_failure: release }
      block:
        - { name: change, shell: { cmd: "true" }, delegate_to: localhost }
        - { name: work, ask: {} }
`,
      (run) => {
        expect(of(run, 'h2')).to.deep.equal(['held: changed', 'change: changed', 'work: unreachable']);
        const released = run.events.flatMap((e) => (e.type === 'lease-released' ? [e.host] : []));
        expect(released.sort()).to.deep.equal(['h1', 'h2']);
      },
    ));

  it('keeps a lease that only the host itself could give back, and says so', () =>
    playOn(
      `    - { name: here, set-fact: { how: local } }
    - lease: { name: held, hold: { path: "DIR/lease-{{ inventory_hostname }}" }, on_failure: release }
      block:
        - { name: change, shell: { cmd: "true" } }
        - { name: lost, lose: {}, when: inventory_hostname == "h2" }
`,
      (run) => {
        expect(of(run, 'h2').at(-1)).to.equal('lost: unreachable');
        const [lease] = run.summary.find((h) => h.host === 'h2')?.leases ?? [];
        expect(lease?.reason).to.equal('it could not be released: h2 is unreachable');
        expect(stateOf(run, 'h1')).to.equal('changed');
      },
    ));

  it('with force_handlers runs handlers that do without it; the others stay notified', () =>
    playOn(
      `    - { name: change, shell: { cmd: "true" }, delegate_to: localhost, notify: [elsewhere, own] }
    - { name: work, ask: {} }
`,
      (run) => {
        expect(of(run, 'h2')).to.deep.equal(['change: changed', 'work: unreachable', 'own: skipped', 'elsewhere: ok']);
        expect(run.summary.find((h) => h.host === 'h2')?.pendingHandlers).to.deep.equal(['own']);
        expect(stateOf(run, 'h2')).to.equal('unreachable');
      },
      `  handlers:
    - { name: own, ask: {} }
    - { name: elsewhere, shell: { cmd: "true", reads: true }, delegate_to: localhost }
`,
      '  force_handlers: true\n',
    ));
});

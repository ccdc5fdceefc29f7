import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { RunbookError } from '../../engine/base/errors.ts';
import type { StampedEvent } from '../../engine/base/events.ts';
import type { RunRequest } from '../../engine/run/request.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { type PlayRun, play } from '../support/play.ts';

/** A lease of a file. Taking it may last; then it gives back what it has when it is aborted. */
const lease = `
import { defineLease, exec, probe, sh } from 'runbook';
export default defineLease({
  name: 'hold', summary: 'Holds a file',
  schema: { type: 'object', additionalProperties: false, required: ['path'], properties: { path: { type: 'string' }, seconds: { type: 'integer', default: 0 } } },
  probe: () => probe(sh\`true\`, () => null),
  diff: (_current, { path }) => [{ path, before: null, after: 'held' }],
  grant: ({ args }) => ({ path: args.path }),
  *acquire({ args }) {
    yield exec(sh\`echo held > \${args.path}\`);
    yield exec(sh\`sleep \${args.seconds}\`);
  },
  *release({ grant }) { yield exec(sh\`rm -f \${grant.path}\`); },
});`;

/**
 * Plays with Ctrl-C pressed once, or twice where `presses` says so, when an event comes for which `when` holds. `DIR` in
 * the playbook is its folder.
 */
function interrupted(
  yaml: string,
  when: (event: StampedEvent) => boolean,
  body: (run: PlayRun, folder: string) => void,
  { presses = 1, ...options }: Partial<RunRequest> & { presses?: 1 | 2 } = {},
): Promise<void> {
  const first = new AbortController();
  const second = new AbortController();
  const press = (): void => {
    first.abort(new Error('interrupted by SIGINT'));
    if (presses === 2) second.abort(new Error('interrupted by SIGINT'));
  };
  return withTemporaryFolder(async (folder) => {
    const files = { 'play.yaml': yaml.replaceAll('DIR', folder), 'modules/hold.ts': lease };
    const run = await play(folder, files, {
      ...options,
      signal: first.signal,
      abort: second.signal,
      // Not in the middle of an event.
      onEvent: (event) => {
        if (when(event)) setTimeout(press, 30);
      },
    });
    expect(run.exitCode).to.equal(130);
    body(run, folder);
  });
}

const stepOf =
  (task: string) =>
  (event: StampedEvent): boolean =>
    event.type === 'step-started' && event.task.name === task;
const startOf =
  (task: string) =>
  (event: StampedEvent): boolean =>
    event.type === 'host-task-started' && event.task.name === task;
const typesOfLeases = (run: PlayRun): string[] =>
  run.events.flatMap((e) => (e.type.startsWith('lease-') ? [e.type] : []));

describe('the first Ctrl-C', () => {
  it('is heard between tasks for which no host has to be asked', async () => {
    const debugs = Array.from({ length: 2000 }, (_, i) => `    - { name: t${i}, debug: { message: x } }\n`).join('');
    await interrupted(`- hosts: all\n  gather_facts: false\n  tasks:\n${debugs}`, startOf('t0'), (run) => {
      expect(run.ends.length).to.be.within(1, 1999);
    });
  });

  it('starts the task on no further host', () =>
    interrupted(
      '- hosts: web\n  tasks: [{ name: one, shell: { cmd: "sleep 0.2; touch DIR/{{ inventory_hostname }}" } }]\n',
      stepOf('one'),
      (run, folder) => {
        expect(run.ends).to.deep.equal(['h1: one: changed']);
        expect(existsSync(join(folder, 'h2'))).to.equal(false);
        expect(run.summary.map((h) => h.state)).to.deep.equal(['changed', 'interrupted']);
      },
      { forks: 1 },
    ));

  it('leaves hosts interrupted whose handlers or later plays did not run', () =>
    interrupted(
      `- hosts: h1
  tasks: [{ name: one, shell: { cmd: sleep 0.2 }, notify: handle }]
  handlers: [{ name: handle, debug: { message: x } }]
- hosts: h2
  tasks: [{ name: two, debug: { message: x } }]
`,
      stepOf('one'),
      (run) => {
        expect(run.summary.map((h) => h.state)).to.deep.equal(['interrupted', 'not-started']);
        expect(run.summary[0]?.pendingHandlers).to.deep.equal(['handle']);
      },
    ));

  it('leaves a host interrupted that has a later play', () =>
    interrupted(
      '- hosts: h1\n  tasks: [{ name: one, shell: { cmd: sleep 0.2 } }]\n- hosts: h1\n  tasks: [{ name: two, debug: { message: x } }]\n',
      stepOf('one'),
      (run) => expect(run.summary.map((h) => h.state)).to.deep.equal(['interrupted']),
    ));

  it('leaves a failed host failed, whose rescue is not started', () =>
    interrupted(
      `- hosts: h1
  tasks:
    - block: [{ name: bad, shell: { cmd: sleep 0.2; exit 1 } }]
      rescue: [{ name: mend, debug: { message: x } }]
`,
      stepOf('bad'),
      (run) => {
        expect(run.ends).to.deep.equal(['h1: bad: failed']);
        expect(run.summary[0]?.state).to.equal('failed');
      },
    ));

  it('ends retries without calling it a failure of the host', () =>
    interrupted(
      '- hosts: h1\n  tasks: [{ name: again, shell: { cmd: sleep 0.1; exit 1 }, retries: 50, delay: 0 }]\n',
      stepOf('again'),
      (run) => expect(run.summary[0]?.state).to.equal('interrupted'),
    ));
});

describe('the deadline of a lease', () => {
  it('leaves time to undo what was done', () =>
    withTemporaryFolder(async (folder) => {
      const yaml = `- hosts: h1
  tasks:
    - lease: { name: held, hold: { path: ${folder}/lease, seconds: 60 }, timeout: 1 }
      block: [{ name: one, shell: { cmd: "touch ${folder}/one" } }]
`;
      const run = await play(folder, { 'play.yaml': yaml, 'modules/hold.ts': lease });
      expect(run.ends).to.deep.equal(['h1: held: failed', 'h1: one: skipped']);
      expect(run.summary[0]?.failure?.code).to.equal('timeout');
      expect(existsSync(join(folder, 'lease'))).to.equal(false);
    }));
});

describe('Ctrl-C while an inventory program is asked', () => {
  it('ends it and the run, as an interruption', () =>
    withTemporaryFolder(async (folder) => {
      const program = join(folder, 'inv');
      await writeFile(program, '#!/bin/sh\n: > "$0.started"; exec sleep 300\n', { mode: 0o755 });
      const interrupt = new AbortController();
      const yaml = '- hosts: all\n  tasks: [{debug: {message: hello}}]\n';
      const options = { inventory: [program], signal: interrupt.signal };
      const run = play(folder, { 'play.yaml': yaml }, options).catch((error: unknown) => error);
      while (!existsSync(`${program}.started`)) await setImmediate();
      interrupt.abort();
      expect(await run)
        .to.be.instanceOf(RunbookError)
        .with.property('code', 'interrupted');
    }));
});

describe('the second Ctrl-C', () => {
  for (const [what, task] of [
    ['a pause', '{ name: long, pause: { seconds: 60 } }'],
    ['a wait', '{ name: long, wait-for: { path: DIR/never, timeout: 60 } }'],
    ['the time between attempts', '{ name: long, shell: { cmd: exit 1 }, retries: 1, delay: 60 }'],
    ['a script', '{ name: long, shell: { cmd: sleep 60 } }'],
    ['a loop', '{ name: long, shell: { cmd: sleep 60 }, loop: [a, b], ignore_errors: true }'],
  ] as const) {
    it(`aborts ${what}: interrupted, not failed`, () =>
      interrupted(
        `- hosts: h1\n  tasks: [${task}]\n`,
        startOf('long'),
        (run) => {
          expect(run.summary[0]?.state).to.equal('interrupted');
          expect(run.said('long')).to.contain('interrupted').and.not.contain('bug');
        },
        { presses: 2 },
      )).timeout(5000);
  }

  it('still gives leases back', () =>
    interrupted(
      `- hosts: h1
  tasks:
    - lease: { name: held, hold: { path: DIR/lease }, on_failure: release }
      block: [{ name: long, shell: { cmd: sleep 60 } }]
`,
      stepOf('long'),
      (run, folder) => {
        expect(typesOfLeases(run)).to.deep.equal(['lease-taking', 'lease-taken', 'lease-released']);
        expect(existsSync(join(folder, 'lease'))).to.equal(false);
      },
      { presses: 2 },
    ));

  it('lets a lease that is just being taken undo what it did', () =>
    interrupted(
      `- hosts: h1
  tasks:
    - lease: { name: held, hold: { path: DIR/lease, seconds: 60 } }
      block: [{ name: one, shell: { cmd: "touch DIR/one" } }]
      rescue: [{ name: mend, debug: { message: x } }]
`,
      (event) => stepOf('held')(event) && event.type === 'step-started' && event.step.startsWith('sleep'),
      (run, folder) => {
        expect(existsSync(join(folder, 'lease'))).to.equal(false);
        expect(existsSync(join(folder, 'one'))).to.equal(false);
        expect(run.summary[0]?.state).to.equal('interrupted');
      },
      { presses: 2 },
    ));
});

describe('what is cleaned up after the second Ctrl-C', () => {
  it('is what in rescue and always needs no host; the rest is told as not run', () =>
    interrupted(
      `- hosts: h1
  tasks:
    - block: [{ name: long, shell: { cmd: sleep 60 } }]
      rescue:
        - { name: on the host, shell: { cmd: "touch DIR/host" } }
        - { name: on the controller, shell: { cmd: "touch DIR/controller" }, delegate_to: localhost }
      always:
        - { name: tidy, shell: { cmd: "touch DIR/tidy" }, delegate_to: localhost }
    - { name: later, debug: { message: x } }
`,
      stepOf('long'),
      (run, folder) => {
        expect(run.ends).to.deep.equal([
          'h1: long: failed',
          'h1: on the host: skipped',
          'h1: on the controller: changed',
          'h1: tidy: changed',
        ]);
        expect(run.said('on the host')).to.equal('not run: the run was interrupted');
        expect(['host', 'controller', 'tidy'].map((name) => existsSync(join(folder, name)))).to.deep.equal([
          false,
          true,
          true,
        ]);
        expect(run.summary[0]?.state).to.equal('interrupted');
      },
      { presses: 2 },
    ));

  it('is nothing after the first one alone: it is done when the run is resumed', () =>
    interrupted(
      `- hosts: h1
  tasks:
    - block: [{ name: long, shell: { cmd: sleep 0.2 } }, { name: next, debug: { message: x } }]
      always: [{ name: tidy, debug: { message: x } }]
`,
      stepOf('long'),
      (run) => expect(run.ends).to.deep.equal(['h1: long: changed']),
    ));
});

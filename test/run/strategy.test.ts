import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { localHosts, type PlayRun, play, playFiles } from '../support/play.ts';

/** Which hosts are worked on at the same time, and in which order. */

const of = (run: PlayRun, host: string): string[] =>
  run.ends.filter((line) => line.startsWith(`${host}: `)).map((line) => line.slice(host.length + 2));
type Files = Readonly<Record<string, string>>;
const playOn = (
  hosts: string,
  yaml: string,
  body: (run: PlayRun, folder: string) => unknown,
  options: Parameters<typeof playFiles>[2] = {},
  more: Files = {},
) =>
  playFiles(
    { 'hosts.ini': hosts, 'play.yaml': yaml, ...more },
    async (run, folder) => {
      await body(run, folder);
    },
    options,
  );

/** Hosts with their zone: `h1:a`. */
const zones = (...hosts: readonly string[]): string =>
  `[all:vars]\nansible_connection=local\n[web]\n${hosts.map((h) => h.replace(':', ' zone=')).join('\n')}\n`;
const batches = (run: PlayRun): string[] =>
  run.events.flatMap((e) => (e.type === 'batch-started' ? [`${e.number}/${e.of} ${e.hosts.join(' ')}`] : []));
/** The most hosts that were between the start and the end of a batch at the same time. */
function mostAtOnce(run: PlayRun, isCounted: (host: string) => boolean = () => true): number {
  const inHand = new Map<number, number>();
  let most = 0;
  for (const e of run.events) {
    if (e.type === 'batch-started') inHand.set(e.number, e.hosts.filter(isCounted).length);
    if (e.type === 'batch-ended') inHand.delete(e.number);
    most = Math.max(
      most,
      [...inHand.values()].reduce((a, b) => a + b, 0),
    );
  }
  return most;
}

describe('strategy: free', () => {
  it('lets no host wait for another, handlers and meta included', () =>
    playOn(
      localHosts(2),
      `- hosts: web
  strategy: free
  tasks:
    - { name: wait for the other, shell: { cmd: "while ! test -e DIR/end-h2; do sleep 0.02; done", reads: true }, when: inventory_hostname == "h1", timeout: 20 }
    - { name: change, file: { path: "DIR/x-{{ inventory_hostname }}", state: directory }, notify: end }
    - meta: flush_handlers
  handlers:
    - { name: end, shell: { cmd: "touch DIR/end-{{ inventory_hostname }}" } }
`,
      (run) => {
        expect(run.exitCode).to.equal(0);
        expect(of(run, 'h1')).to.deep.equal(['wait for the other: ok', 'change: changed', 'end: changed']);
      },
    ));

  it('runs run_once on the host that comes first; the others wait for its result', () =>
    playOn(
      localHosts(3),
      `- hosts: web
  strategy: free
  tasks:
    - { name: slow, command: { argv: [sleep, "0.2"], reads: true }, when: inventory_hostname == "h1" }
    - { name: once, shell: { cmd: "sleep 0.2; echo {{ inventory_hostname }} >> DIR/once; echo {{ inventory_hostname }}" }, run_once: true, register: out }
    - { name: show, debug: { message: "{{ out.stdout }}" } }
`,
      async (run, folder) => {
        const who = (await readFile(join(folder, 'once'), 'utf8')).trim();
        expect(['h2', 'h3']).to.include(who);
        const shown = run.events.flatMap((e) =>
          e.type === 'host-task-ended' && e.task.name === 'show' ? [e.message] : [],
        );
        expect(shown).to.deep.equal([who, who, who]);
      },
    ));

  it('says that hosts are not in step', () =>
    playOn(
      localHosts(2),
      '- hosts: web\n  strategy: free\n  tasks: [{ debug: { message: x } }]\n- hosts: web\n  tasks: [{ debug: { message: x } }]\n- hosts: web\n  serial: { window: 1 }\n  tasks: [{ debug: { message: x } }]\n',
      (run) =>
        expect(run.events.flatMap((e) => (e.type === 'play-started' ? [e.isInStep] : []))).to.deep.equal([
          false,
          true,
          false,
        ]),
    ));
});

describe('serial', () => {
  const table: [string, string[]][] = [
    ['2', ['1/3 h1 h2', '2/3 h3 h4', '3/3 h5']],
    ['40%', ['1/3 h1 h2', '2/3 h3 h4', '3/3 h5']],
    ['[1, "50%"]', ['1/3 h1', '2/3 h2 h3', '3/3 h4 h5']],
    ['{ window: 2 }', ['1/5 h1', '2/5 h2', '3/5 h3', '4/5 h4', '5/5 h5']],
  ];
  for (const [serial, expected] of table) {
    it(`${serial} of five hosts`, () =>
      playOn(localHosts(5), `- hosts: web\n  serial: ${serial}\n  tasks: [{ debug: { message: x } }]\n`, (run) =>
        expect(batches(run)).to.deep.equal(expected),
      ));
  }
});

describe('a window', () => {
  it('starts the next host as one ends, whichever it is, and never has more in flight', () =>
    playOn(
      localHosts(4),
      `- hosts: web
  serial: { window: 2 }
  tasks:
    - { name: wait for the last, shell: { cmd: "while ! test -e DIR/h4; do sleep 0.02; done", reads: true }, when: inventory_hostname == "h1", timeout: 20 }
    - { name: mark, shell: { cmd: "touch DIR/{{ inventory_hostname }}" } }
`,
      (run) => {
        expect(run.exitCode).to.equal(0);
        expect(mostAtOnce(run)).to.equal(2);
        // What it waited for is there before the last one is told of.
        expect(run.ends.slice(-2)).to.include('h1: mark: changed');
      },
    ));

  it('can be a percentage of the hosts, and runs handlers as each host ends', () =>
    playOn(
      localHosts(4),
      `- hosts: web
  serial: { window: "50%" }
  tasks: [{ name: change, file: { path: "DIR/{{ inventory_hostname }}", state: directory }, notify: handle }]
  handlers: [{ name: handle, shell: { cmd: sleep 0.05 } }]
`,
      (run) => {
        expect(mostAtOnce(run)).to.equal(2);
        expect(run.ends.indexOf('h1: handle: changed')).to.be.lessThan(run.ends.indexOf('h4: change: changed'));
      },
    ));

  it('with any_errors_fatal starts no host after one that failed; those in flight end', () =>
    playOn(
      localHosts(4),
      `- hosts: web
  serial: { window: 2 }
  any_errors_fatal: true
  tasks:
    - { name: bad, fail: { message: no }, when: inventory_hostname == "h1" }
    - { name: slow, command: { argv: [sleep, "0.2"], reads: true } }
    - { name: last, debug: { message: x } }
`,
      (run) => {
        expect(run.summary.map((h) => h.state)).to.deep.equal(['failed', 'ok', 'not-started', 'not-started']);
        expect(of(run, 'h2').at(-1)).to.equal('last: ok');
        expect(run.exitCode).to.equal(6);
      },
    ));

  it('starts no host after an interrupt; leases of those in flight are given back', () => {
    const interrupt = new AbortController();
    return playOn(
      localHosts(3),
      `- hosts: web
  serial: { window: 1 }
  tasks:
    - block: [{ name: change, shell: { cmd: "true" } }, { name: next, debug: { message: x } }]
      lease: { name: held, hold: { path: "DIR/lease-{{ inventory_hostname }}" }, on_failure: release }
`,
      (run) => {
        expect(run.summary.map((h) => h.state)).to.deep.equal(['interrupted', 'not-started', 'not-started']);
        expect(run.events.map((e) => e.type)).to.include('lease-released');
        expect(batches(run)).to.have.length(1);
        expect(run.exitCode).to.equal(130);
      },
      {
        signal: interrupt.signal,
        onEvent: (e) => {
          if (e.type === 'host-task-ended' && e.task.name === 'change') interrupt.abort();
        },
      },
      { 'modules/hold.ts': lease },
    );
  });
});

const lease = `
import { defineLease, exec, probe, sh } from 'runbook';
export default defineLease({
  name: 'hold', summary: 'Holds a file',
  schema: { type: 'object', additionalProperties: false, required: ['path'], properties: { path: { type: 'string' } } },
  probe: ({ path }) => probe(sh\`test -e \${path}\`, ({ rc }) => rc === 0),
  diff: (isThere, { path }) => (isThere ? [] : [{ path, before: null, after: 'held' }]),
  grant: ({ args }) => ({ path: args.path }),
  *acquire({ args }) { yield exec(sh\`echo held > \${args.path}\`); },
  *release({ grant }) { yield exec(sh\`rm \${grant.path}\`); },
});`;

describe('max_per_group', () => {
  const limited = (serial: string): string => `- hosts: web
  max_per_group: { by: zone, n: 1 }
${serial}  tasks: [{ name: work, shell: { cmd: sleep 0.05, reads: true } }]
`;

  it('cuts batches so that no group has more hosts in one, and keeps the order', () =>
    playOn(zones('h1:a', 'h2:a', 'h3:b', 'h4:b', 'h5:c'), limited('  serial: 2\n'), (run) =>
      expect(batches(run)).to.deep.equal(['1/3 h1 h3', '2/3 h2 h4', '3/3 h5']),
    ));

  it('cuts batches where there is no serial, too', () =>
    playOn(zones('h1:a', 'h2:a', 'h3:b'), limited(''), (run) =>
      expect(batches(run)).to.deep.equal(['1/2 h1 h3', '2/2 h2']),
    ));

  it('with a window lets a host wait for its group, tells why, and lets others overtake', () =>
    playOn(zones('h1:a', 'h2:a', 'h3:b', 'h4:a'), limited('  serial: { window: 3 }\n'), (run) => {
      expect(batches(run).slice(0, 2)).to.deep.equal(['1/4 h1', '2/4 h3']);
      expect(mostAtOnce(run, (host) => host !== 'h3')).to.equal(1);
      expect(run.events.flatMap((e) => (e.type === 'host-waiting' ? [`${e.host}: ${e.reason}`] : []))).to.deep.equal([
        'h2: at most 1 with zone = a at a time',
        'h4: at most 1 with zone = a at a time',
      ]);
      expect(run.exitCode).to.equal(0);
    }));

  it('holds in a resumed run: two of a group that both were begun are gone on with one after the other', () =>
    withTemporaryFolder(async (folder) => {
      const interrupt = new AbortController();
      const files = {
        'hosts.ini': zones('h1:a', 'h2:b', 'h3:a', 'h4:b', 'h5:c'),
        'play.yaml': `- hosts: web
  max_per_group: { by: zone, n: 1 }
  serial: { window: 3 }
  tasks: [{ name: one, shell: { cmd: "true" } }, { name: two, shell: { cmd: sleep 0.05, reads: true } }]
`,
      };
      const journalDirectory = join(folder, '.runbook');
      let ended = 0;
      const first = await play(folder, files, {
        journalDirectory,
        signal: interrupt.signal,
        onEvent: (e) => {
          if (e.type === 'host-task-ended' && e.task.name === 'one' && ++ended === 4) interrupt.abort();
        },
      });
      expect(first.exitCode).to.equal(130);
      const runId = first.events.flatMap((e) => (e.type === 'run-started' ? [e.runId] : []))[0] ?? '';
      const second = await play(folder, files, { journalDirectory, resume: { runId, isChanged: false } });
      expect(second.exitCode).to.equal(0);
      for (const run of [first, second]) {
        expect(mostAtOnce(run, (host) => ['h1', 'h3'].includes(host))).to.equal(1);
        expect(mostAtOnce(run, (host) => ['h2', 'h4'].includes(host))).to.equal(1);
      }
      const done = [...first.ends, ...second.ends].filter((line) => line.endsWith('two: ok'));
      expect(done.sort()).to.deep.equal(['h1', 'h2', 'h3', 'h4', 'h5'].map((host) => `${host}: two: ok`));
    }));

  it('starts no host when the group of one cannot be told', () =>
    playOn(
      zones('h1:a', 'h2:b'),
      '- hosts: h1\n  tasks: [{ set-fact: { part: [1] } }]\n- hosts: web\n  max_per_group: { by: "hostvars[inventory_hostname].part", n: 1 }\n  tasks: [{ name: work, debug: { message: x } }]\n',
      (run) => {
        expect(run.ends).to.deep.equal(['h1: set-fact: ok', 'h1: max_per_group: failed', 'h2: max_per_group: failed']);
        expect(run.summary[0]?.failure?.message).to.contain('must be a text or a number, not [1]');
        expect(run.summary[1]?.failure?.message).to.contain('part');
        expect(run.exitCode).to.equal(6);
      },
    ));
});

describe('order', () => {
  const table: [string, string][] = [
    ['inventory', 'h2 h10 h1'],
    ['reverse_inventory', 'h1 h10 h2'],
    ['sorted', 'h1 h10 h2'],
    ['reverse_sorted', 'h2 h10 h1'],
  ];
  for (const [order, expected] of table) {
    it(`${order}`, () =>
      playOn(
        localHosts(['h2', 'h10', 'h1']),
        `- hosts: web\n  order: ${order}\n  serial: 1\n  tasks: [{ debug: { message: x } }]\n`,
        (run) =>
          expect(
            batches(run)
              .map((line) => line.slice(4))
              .join(' '),
          ).to.equal(expected),
      ));
  }

  it('shuffle takes every host once', () =>
    playOn(localHosts(20), '- hosts: web\n  order: shuffle\n  tasks: [{ debug: { message: x } }]\n', (run) => {
      const hosts = run.events.flatMap((e) => (e.type === 'play-started' ? e.hosts : []));
      expect(hosts).to.not.deep.equal(Array.from({ length: 20 }, (_, i) => `h${i + 1}`));
      expect(new Set(hosts).size).to.equal(20);
    }));
});

describe('throttle', () => {
  for (const strategy of ['linear', 'free']) {
    it(`lets so many hosts run a task at a time, also with strategy ${strategy}`, () =>
      playOn(
        localHosts(6),
        `- hosts: web
  strategy: ${strategy}
  tasks:
    - { name: work, shell: { cmd: "mkdir DIR/busy && sleep 0.03 && rmdir DIR/busy" }, throttle: 1 }
    - { name: free, shell: { cmd: "sleep 0.03" } }
`,
        (run) => {
          expect(run.exitCode).to.equal(0);
          let running = 0;
          let most = 0;
          for (const e of run.events) {
            if (e.type === 'host-task-started' && e.task.name === 'work') most = Math.max(most, ++running);
            if (e.type === 'host-task-ended' && e.task.name === 'work') running--;
          }
          expect(most).to.equal(1);
        },
      ));
  }

  it('lets so many hosts be asked at a time, too', () =>
    playOn(
      localHosts(4),
      `- hosts: web
  tasks:
    - { name: before, file: { path: DIR, state: directory } }
    - { name: asks, busy: {}, throttle: 1 }
`,
      (run) => expect(run.exitCode, run.said('asks')).to.equal(0),
      {},
      {
        'modules/busy.ts': `
import { defineModule, failure, probe, sh } from 'runbook';
export default defineModule({
  name: 'busy', summary: 'Asks what bears one question at a time',
  schema: { type: 'object', additionalProperties: false, properties: {} },
  probe: () => probe(sh\`mkdir DIR/busy && sleep 0.1 && rmdir DIR/busy\`, ({ rc, stderr }) => {
    if (rc !== 0) throw failure('it is busy', stderr);
  }),
  diff: () => [], *apply() {},
});`,
      },
    ));
});

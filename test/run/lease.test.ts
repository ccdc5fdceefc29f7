import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Clock } from '../../engine/base/clock.ts';
import { readHeldLeases } from '../../engine/run/journal/read-state.ts';
import { startRenewal } from '../../engine/run/lease-renewal.ts';
import { lockLease } from '../support/lock-lease.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { type PlayRun, play } from '../support/play.ts';

/** A playbook with a block under the lock file `DIR/lock`. */
function under(tasks: string, more = '', rest = ''): string {
  return `- hosts: h1
  tasks:
    - lease: { name: Held, lock-file: { path: DIR/lock${more} } }
      block:
${tasks}${rest}`;
}

async function run(folder: string, yaml: string, options: Parameters<typeof play>[2] = {}): Promise<PlayRun> {
  return play(
    folder,
    { 'play.yaml': yaml.replaceAll('DIR', folder), 'modules/lock-file.ts': lockLease, ...twoSteps },
    options,
  );
}

/** A resource whose apply has two steps. */
const twoSteps = {
  'modules/two-steps.ts': `
import { defineModule, exec, probe, sh } from 'runbook';
export default defineModule({
  name: 'two-steps', summary: 'Runs one script, then another',
  schema: { type: 'object', additionalProperties: false, required: ['first', 'second'], properties: { first: { type: 'string' }, second: { type: 'string' } } },
  probe: () => probe(sh\`true\`, () => null),
  diff: () => [{ path: 'steps', before: null, after: 'run' }],
  *apply({ args }) { yield exec(sh\`sh -c \${args.first}\`); yield exec(sh\`sh -c \${args.second}\`); },
  unverifiable: () => 'it only runs',
});
`,
};

const typesIn = ({ events }: PlayRun): string[] =>
  events.flatMap(({ type }) => (type.startsWith('lease-') && type !== 'lease-renewed' ? [type] : []));
// The renewal that notices it has to end, too, before it is known.
const nobody = 'printf other > DIR/lock; while [ ! -e DIR/lock.noticed ]; do sleep 0.02; done; sleep 1';

describe('a lease of a user', () => {
  it('is told before it is taken, with what giving it back needs, and holds for the run', () =>
    withTemporaryFolder(async (folder) => {
      const yaml = under('        - { name: look, shell: { cmd: cp DIR/lock DIR/seen } }\n');
      const done = await run(folder, yaml);
      expect(done.exitCode, done.said('look')).to.equal(0);
      expect(typesIn(done)).to.deep.equal(['lease-taking', 'lease-taken', 'lease-released']);
      const [taking, firstStep] = done.events.filter(({ type }) => type === 'lease-taking' || type === 'step-started');
      const { runId } = done.events[0] as { runId: string };
      expect(taking).to.deep.include({ type: 'lease-taking', grant: { path: join(folder, 'lock'), owner: runId } });
      expect(firstStep?.type).to.equal('step-started');
      expect(await readFile(join(folder, 'seen'), 'utf8')).to.equal(`${runId}\n`);
      expect(existsSync(join(folder, 'lock'))).to.equal(false);
    }));

  it('that is taken only in part is given back, and says no word of being held', () =>
    withTemporaryFolder(async (folder) => {
      const done = await run(
        folder,
        under('        - { name: work, shell: { cmd: touch DIR/work } }\n', ', refuse: true'),
      );
      expect(done.exitCode).to.equal(2);
      expect(typesIn(done)).to.deep.equal(['lease-taking', 'lease-released']);
      expect(done.said('Held')).to.equal('refused');
      expect(done.summary[0]?.leases).to.deep.equal([]);
      expect(existsSync(join(folder, 'lock')) || existsSync(join(folder, 'work'))).to.equal(false);
    }));

  it('whose grant holds a secret is refused: it would be written down', () =>
    withTemporaryFolder(async (folder) => {
      const secret = lockLease
        .replace('import { defineLease,', 'import { Secret, defineLease,')
        .replace('owner: runId', "owner: new Secret('x')");
      const yaml = under('        - { name: work, shell: { cmd: touch DIR/work } }\n').replaceAll('DIR', folder);
      const done = await play(folder, { 'play.yaml': yaml, 'modules/lock-file.ts': secret });
      expect(done.said('Held')).to.equal('the grant of the lease lock-file holds a secret');
      expect(typesIn(done)).to.deep.equal([]);
      expect(existsSync(join(folder, 'work'))).to.equal(false);
    }));

  it('is renewed while a task runs under it, which does not wait for that', () =>
    withTemporaryFolder(async (folder) => {
      const wait = 'while [ "$(cat DIR/lock.renewed 2>/dev/null | wc -l)" -lt 3 ]; do sleep 0.02; done';
      const done = await run(folder, under(`        - { name: wait, shell: { cmd: '${wait}' } }\n`));
      expect(done.exitCode).to.equal(0);
      expect(done.events.filter(({ type }) => type === 'lease-renewed').length).to.be.greaterThan(1);
      const steps = done.events.flatMap((event) => (event.type === 'step-started' ? [event.step] : []));
      expect(
        steps.filter((step) => step.includes('renewed >>')),
        'renewals among the steps of tasks',
      ).to.deep.equal([]);
    }));

  it('that another holder takes is lost: the task fails with the reason at its next step, and no later one changes the host', () =>
    withTemporaryFolder(async (folder) => {
      const tasks = `        - { name: work, two-steps: { first: '${nobody}', second: "touch DIR/second" } }
        - { name: later, shell: { cmd: touch DIR/later } }
      rescue:
        - { name: mend, shell: { cmd: touch DIR/mended } }
`;
      const done = await run(folder, under(tasks));
      const reason = `nothing more is done here: the lease "Held" was lost: ${folder}/lock is held by other`;
      expect(done.said('work')).to.equal(reason);
      expect(done.said('mend')).to.equal(reason);
      expect(done.exitCode).to.equal(2);
      for (const name of ['second', 'later', 'mended']) expect(existsSync(join(folder, name)), name).to.equal(false);
      expect(typesIn(done)).to.deep.equal(['lease-taking', 'lease-taken', 'lease-lost']);
      expect(done.summary[0]?.leases, 'still held').to.deep.equal([]);
      expect(await readFile(join(folder, 'lock'), 'utf8'), "another's is left alone").to.equal('other');
    }));

  it('that cannot be renewed for a moment is not lost: it is told once, and tried again', () =>
    withTemporaryFolder(async (folder) => {
      const broken = lockLease.replace(
        '*renew({ grant }) {',
        "*renew({ grant }) {\n    yield exec(sh`echo try >> ${grant.path + '.tries'}; [ $(wc -l < ${grant.path + '.tries'}) -gt 3 ]`);",
      );
      const wait = 'while [ "$(cat DIR/lock.renewed 2>/dev/null | wc -l)" -lt 1 ]; do sleep 0.02; done';
      const yaml = under(`        - { name: wait, shell: { cmd: '${wait}' } }\n`).replaceAll('DIR', folder);
      const done = await play(folder, { 'play.yaml': yaml, 'modules/lock-file.ts': broken });
      expect(done.exitCode).to.equal(0);
      const warnings = done.events.flatMap((e) => (e.type === 'warning' ? [e.diagnostic.message] : []));
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.contain('the lease "Held" of h1 could not be renewed');
    }));

  it('is not even taken when a task fails before anything is changed', () =>
    withTemporaryFolder(async (folder) => {
      const done = await run(folder, under('        - { name: one, fail: { message: no } }\n'));
      expect(typesIn(done)).to.deep.equal([]);
    }));

  it('is given back when the failure budget stops the run while it is held', () =>
    withTemporaryFolder(async (folder) => {
      const yaml = `- hosts: web
  max_failures: 1
  serial: { window: 2 }
  tasks:
    - { name: fails, fail: { message: no }, when: inventory_hostname == "h2" }
    - lease: { name: Held, lock-file: { path: "DIR/lock-{{ inventory_hostname }}" } }
      block: [{ name: work, shell: { cmd: "touch DIR/work" } }]
`;
      const done = await run(folder, yaml);
      expect(done.exitCode).to.equal(2);
      expect(typesIn(done)).to.deep.equal(['lease-taking', 'lease-taken', 'lease-released']);
      expect(existsSync(join(folder, 'lock-h1'))).to.equal(false);
    }));

  it('is given back for a host that is unreachable, where the lease runs elsewhere', () =>
    withTemporaryFolder(async (folder) => {
      const yaml = `- hosts: h1
  tasks:
    - lease: { name: Held, lock-file: { path: DIR/lock }, delegate_to: localhost, on_failure: release }
      block:
        - { name: work, shell: { cmd: touch DIR/work }, delegate_to: localhost }
        - { name: gone, shell: { cmd: "true" } }
`.replaceAll('DIR', folder);
      // Nobody listens there.
      const inventory = 'h1 ansible_host=127.0.0.1 ansible_port=1\n';
      const files = { 'play.yaml': yaml, 'hosts.ini': inventory, 'modules/lock-file.ts': lockLease };
      const done = await play(folder, files);
      expect(done.summary[0]?.state).to.equal('unreachable');
      expect(typesIn(done)).to.deep.equal(['lease-taking', 'lease-taken', 'lease-released']);
      expect(existsSync(join(folder, 'lock'))).to.equal(false);
    }));

  it('that is kept stands in the record, and the next run of the same journal releases it on resume', () =>
    withTemporaryFolder(async (folder) => {
      const journalDirectory = join(folder, 'journal');
      const yaml = under(`        - { name: work, shell: { cmd: touch DIR/work } }
        - { name: gate, shell: { cmd: test -e DIR/go } }
`);
      const failed = await run(folder, yaml, { journalDirectory });
      expect(typesIn(failed)).to.deep.equal(['lease-taking', 'lease-taken', 'lease-kept']);
      const { runId } = failed.events[0] as { runId: string };
      const [held] = readHeldLeases(join(journalDirectory, 'runs', runId));
      expect(held).to.deep.include({ host: 'h1', state: 'taken', hasEffects: true });
      expect(held?.keptBecause).to.equal('the block failed after the host was changed');
      await writeFile(join(folder, 'go'), '');
      const resumed = await run(folder, yaml, { journalDirectory, resume: { runId, isChanged: false } });
      expect(resumed.exitCode, resumed.said('gate')).to.equal(0);
      expect(typesIn(resumed)).to.deep.equal(['lease-taking', 'lease-taken', 'lease-released']);
      const grant = (of: PlayRun): unknown =>
        (of.events.find(({ type }) => type === 'lease-taking') as { grant: unknown }).grant;
      expect(grant(resumed), 'the grant of the first process').to.deep.equal(grant(failed));
      expect(existsSync(join(folder, 'lock'))).to.equal(false);
      expect(readHeldLeases(join(journalDirectory, 'runs', runId))).to.deep.equal([]);
    }));
});

describe('the renewal of a lease', () => {
  /** A clock that moves on when it is told to. */
  function fakeClock(): Clock & { readonly slept: number[]; tick(): void } {
    const slept: number[] = [];
    let wake: (() => void) | undefined;
    return {
      slept,
      now: () => 0,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          slept.push(ms);
          wake = resolve;
          signal?.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
          if (signal?.aborted) reject(new Error('stopped'));
        }),
      tick: () => wake?.(),
    };
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('comes once per interval, the next one only when the last has ended', async () => {
    const clock = fakeClock();
    const renewed: (() => void)[] = [];
    const renewal = startRenewal(clock, 60_000, () => new Promise((done) => renewed.push(() => done(true))));
    expect(renewed).to.have.length(0);
    clock.tick();
    await turn();
    expect(renewed).to.have.length(1);
    clock.tick();
    await turn();
    expect(renewed, 'while one is being made').to.have.length(1);
    renewed[0]?.();
    await turn();
    clock.tick();
    await turn();
    expect(renewed).to.have.length(2);
    expect(clock.slept).to.deep.equal([60_000, 60_000]);
    renewed[1]?.();
    await renewal.stop();
  });

  it('ends when the lease is lost', async () => {
    const clock = fakeClock();
    let count = 0;
    startRenewal(clock, 60_000, async () => {
      count++;
      return false;
    });
    clock.tick();
    await turn();
    clock.tick();
    await turn();
    expect(count).to.equal(1);
  });

  it('aborts the one that is being made when it is stopped, and waits for its end', async () => {
    const clock = fakeClock();
    let isAborted = false;
    const renewal = startRenewal(
      clock,
      60_000,
      (signal) =>
        new Promise((done) =>
          signal.addEventListener('abort', () => {
            isAborted = true;
            done(true);
          }),
        ),
    );
    clock.tick();
    await turn();
    await renewal.stop();
    expect(isAborted).to.equal(true);
    expect(clock.slept).to.have.length(1);
  });
});

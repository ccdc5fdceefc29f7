import fs, { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { lockLease } from '../support/lock-lease.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { play } from '../support/play.ts';

const inventory = 'n1 ansible_connection=local\n';

/** Has each sync of a journal's file that blocks nobody done by `disk`, which is told the file's path, and takes its time. */
async function withDisk<T>(
  disk: (path: string) => Error | null,
  body: () => Promise<T>,
  { takesMs = 0 } = {},
): Promise<T> {
  const { fdatasync } = fs;
  const instead = (file: number, done: (error: Error | null) => void): void => {
    fdatasync(file, (error) => {
      setTimeout(() => done(error ?? disk(readlinkSync(`/proc/self/fd/${file}`))), takesMs);
    });
  };
  Object.assign(fs, { fdatasync: instead });
  syncBuiltinESMExports();
  try {
    return await body();
  } finally {
    Object.assign(fs, { fdatasync });
    syncBuiltinESMExports();
  }
}

/** No effect is run that a loss of power could make unknown. */
describe('what is on disk', () => {
  it('when an effect is run says that it is, in the record and in the events', () =>
    withTemporaryFolder(async (folder) => {
      const task = `shell: { cmd: 'cat DIR/state.ndjson >DIR/state; cat DIR/events.ndjson >DIR/events' }`;
      const tasks = ['', '    - ', '\n    - '].slice(1).map((dash) => `${dash}${task.replaceAll('DIR', folder)}`);
      const files = { 'hosts.ini': inventory, 'play.yaml': `- hosts: n1\n  tasks:\n${tasks.join('')}\n` };
      const run = await withDisk(
        (path) => {
          writeFileSync(join(folder, basename(path)), readFileSync(path));
          return null;
        },
        () => play(folder, files, { journalDirectory: join(folder, '.runbook') }),
      );
      expect(run.exitCode).to.equal(0);
      const lines = (file: string): Record<string, unknown>[] =>
        readFileSync(join(folder, file), 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Record<string, unknown>);
      const started = run.events.filter((event) => event.type === 'step-started');
      expect(started).to.have.length(2);
      expect(lines('events').findLast(({ type }) => type === 'step-started')).to.include({
        effect: started[1]?.effect,
      });
      const kinds = lines('state').map(({ t }) => t);
      // The first task came to its end, and the second one is about to be run.
      expect(kinds.filter((t) => t !== 'began')).to.deep.equal(['effect', 'step', 'task', 'effect', 'step']);
    }));

  it('when a lease is given back says what was done under it', () =>
    withTemporaryFolder(async (folder) => {
      const lease = `
import { defineLease, exec, probe, sh } from 'runbook';
export default defineLease({
  name: 'hold', summary: 'Holds nothing',
  schema: { type: 'object', additionalProperties: false, required: ['path'], properties: { path: { type: 'string' } } },
  probe: () => probe(sh\`:\`, () => undefined),
  diff: () => [],
  grant: ({ args }) => ({ path: args.path }),
  *acquire() {},
  *release({ grant }) { yield exec(sh\`cat \${grant.path}/state.ndjson >\${grant.path}/at-release\`); },
});`;
      const play1 = `
- hosts: n1
  gather_facts: false
  tasks:
    - lease: { name: Held, hold: { path: ${folder} } }
      block: [{ name: work, shell: { cmd: "true" } }]
`;
      const files = { 'hosts.ini': inventory, 'modules/hold.ts': lease, 'play.yaml': play1 };
      const run = await withDisk(
        (path) => {
          writeFileSync(join(folder, basename(path)), readFileSync(path));
          return null;
        },
        () => play(folder, files, { journalDirectory: join(folder, '.runbook') }),
        { takesMs: 200 },
      );
      expect(run.exitCode, JSON.stringify(run.events.at(-1))).to.equal(0);
      expect(readFileSync(join(folder, 'at-release'), 'utf8')).to.match(/"t":"task"/);
    }));

  for (const broken of ['state.ndjson', 'events.ndjson']) {
    it(`where ${broken} cannot be synced, is no effect run, and a lease that is held is given back`, () =>
      withTemporaryFolder(async (folder) => {
        const files = {
          'hosts.ini': inventory,
          'modules/lock-file.ts': lockLease,
          'play.yaml': `
- hosts: n1
  gather_facts: false
  tasks:
    - name: one
      shell: { cmd: 'echo one >>${folder}/done' }
    - lease: { name: Held, lock-file: { path: ${folder}/held }, on_failure: release }
      block:
        - name: two
          shell: { cmd: 'cp ${folder}/held ${folder}/was-held; echo two >>${folder}/done' }
        - name: three
          shell: { cmd: 'echo three >>${folder}/done' }
`,
        };
        let isBroken = false;
        const run = await withDisk(
          (path) => (isBroken && basename(path) === broken ? new Error('the disk is gone') : null),
          () =>
            play(folder, files, {
              journalDirectory: join(folder, '.runbook'),
              moduleDirectories: [join(folder, 'modules')],
              onEvent: (event) => {
                isBroken ||= event.type === 'host-task-started' && event.task.name === 'three';
              },
            }),
        );
        expect(run.exitCode).to.equal(2);
        expect(readFileSync(join(folder, 'done'), 'utf8')).to.equal('one\ntwo\n');
        expect(run.said('three')).to.match(/not run: it cannot be recorded \(.*the disk is gone/);
        const end = run.events.find((event) => event.type === 'run-ended');
        expect(end?.stopReason).to.match(/the record of the run cannot be written/);
        expect(run.events.map((event) => event.type))
          .to.include('lease-released')
          .and.not.include('lease-kept');
        expect(readFileSync(join(folder, 'was-held'), 'utf8')).to.not.equal('');
        expect(fs.existsSync(join(folder, 'held'))).to.equal(false);
      }));
  }
});

import { join } from 'node:path';
import { expect } from 'chai';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { localHosts, play } from '../support/play.ts';

const files = {
  'hosts.ini': localHosts(1),
  'play.yaml': `- hosts: web
  gather_facts: false
  tasks:
    - { name: make, no_log: true, shell: { cmd: echo token }, register: made }
    - { name: use, shell: { cmd: "test {{ made.stdout }} = other" } }
`,
};

describe('a value that is not in the record of the run, because there is a secret in it', () => {
  it('cannot be read by a resumed run, which says so', () =>
    withTemporaryFolder(async (folder) => {
      const kept = { journalDirectory: join(folder, '.runbook') };
      const run = await play(folder, files, kept);
      expect(run.said('use')).to.match(/exit status 1/);
      const runId = run.events.flatMap((event) => (event.type === 'run-started' ? [event.runId] : []))[0] ?? '';
      const again = await play(folder, files, { ...kept, resume: { runId, isChanged: false } });
      expect(again.exitCode).to.equal(2);
      expect(again.said('use')).to.match(/what "make" found is not in the record of the run/);
    }));
});

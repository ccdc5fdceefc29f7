import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { runCli } from '../support/cli.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';

/** What the build puts into few files must do what its sources do. */
describe('the program as it is built', () => {
  it('tells kinds of values', () =>
    withTemporaryFolder(async (folder) => {
      const playbook = join(folder, 'p.yaml');
      const task = `{ debug: { message: !expr 'm.?x' } }`;
      await writeFile(playbook, `- hosts: localhost\n  vars: { m: { y: 1 } }\n  tasks: [${task}]\n`);
      const { stdout, stderr } = await runCli(['play', playbook]);
      expect(stdout + stderr)
        .to.include('gives an optional')
        .and.to.include('.orValue("…")');
    }));
});

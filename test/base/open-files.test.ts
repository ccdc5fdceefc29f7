import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { checkOpenFiles, openFilesLimit } from '../../engine/base/open-files.ts';
import { runbookCommand } from '../support/cli.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { localHosts, writeFiles } from '../support/play.ts';

describe('the limit of open files', () => {
  it('is read as the system tells it, and where it tells nothing no run is refused', () => {
    const limits =
      'Max processes   96343   96343   processes\nMax open files            1024                 4096   files\n';
    expect(openFilesLimit(() => limits)).to.equal(1024);
    expect(openFilesLimit(() => '')).to.equal(undefined);
    expect(openFilesLimit(() => 'Max open files            unlimited            unlimited   files\n')).to.equal(
      undefined,
    );
    expect(() => checkOpenFiles(100_000, undefined)).not.to.throw();
  });

  it('leaves room for a run that fits, and not for one host more', () => {
    expect(() => checkOpenFiles(964, 1024)).not.to.throw();
    expect(() => checkOpenFiles(965, 1024)).to.throw(/965 hosts are too many: .* 1024 files/);
  });

  it('refuses a run that would lose hosts, before any is contacted: exit code 5, and what to do', () =>
    withTemporaryFolder(async (folder) => {
      const play = '- hosts: web\n  gather_facts: false\n  tasks:\n    - debug: { message: hi }\n';
      await writeFiles(folder, { 'play.yaml': play, 'hosts.ini': localHosts(200) });
      const runWith = (limit: number): { status: number | null; output: string } => {
        const script = `ulimit -n ${limit} && exec "$@"`;
        const words = ['-c', script, 'sh', ...runbookCommand, 'play', 'play.yaml', '-i', 'hosts.ini', '--no-journal'];
        const { status, stdout, stderr } = spawnSync('/bin/sh', words, { cwd: folder, encoding: 'utf8' });
        return { status, output: `${stdout}${stderr}` };
      };
      const refused = runWith(200);
      expect(refused.status, refused.output).to.equal(5);
      expect(refused.output).to.contain('200 hosts are too many');
      expect(refused.output).to.contain('ulimit -n 260');
      expect(refused.output).not.to.contain('PLAY');
      const barred = runWith(64);
      expect(barred.status, barred.output).to.equal(5);
      expect(barred.output).to.contain('may have 64 files').and.to.contain('ulimit -n');
      const run = runWith(260);
      expect(run.status, run.output).to.equal(0);
    })).timeout(60_000);
});

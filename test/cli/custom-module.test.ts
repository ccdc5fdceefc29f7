import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectRoot, runCli } from '../support/cli.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { writeFiles } from '../support/play.ts';

/** The README's own module, as printed there, but for the path that it writes. */
async function readmeModule(path: string): Promise<string> {
  const readme = await readFile(join(projectRoot, 'README.md'), 'utf8');
  const block = /```ts\n(\/\/ modules\/motd\.ts\n[\s\S]*?)```/.exec(readme)?.[1];
  if (block === undefined) throw new Error('the README shows no module');
  return block.replaceAll('/etc/motd', path);
}

describe('a module of the user beside the playbook', () => {
  it('is short', async () => {
    expect((await readmeModule('/etc/motd')).trim().split('\n').length).to.be.at.most(30);
  });

  it('has typed arguments, check mode, --diff, verification and a second run that changes nothing', () =>
    withTemporaryFolder(async (folder) => {
      const motd = join(folder, 'motd');
      await writeFiles(folder, {
        motd: 'old\n',
        'modules/motd.ts': await readmeModule(motd),
        'play.yaml': '- hosts: localhost\n  tasks:\n    - motd: { text: "new\\n" }\n',
        'wrong.yaml': '- hosts: localhost\n  tasks:\n    - motd: { txt: hello }\n',
      });
      const play = (file: string, ...args: string[]) => runCli(['play', join(folder, file), ...args], { cwd: folder });

      const wrong = await play('wrong.yaml');
      expect(wrong.exitCode).to.equal(5);
      expect(wrong.stderr).to.contain('wrong.yaml:3:15').and.contain('did you mean "text"?');

      const check = await play('play.yaml', '--check', '--diff');
      expect(check.exitCode, check.stderr).to.equal(3);
      expect(check.stdout).to.contain('-old').and.contain('+new');
      expect(await readFile(motd, 'utf8')).to.equal('old\n');

      const run = await play('play.yaml');
      expect(run.exitCode, run.stderr).to.equal(0);
      expect(await readFile(motd, 'utf8')).to.equal('new\n');

      const again = await play('play.yaml');
      expect(again.stdout).to.contain('changed=0');
    }));

  it('is a bug that is told, and no success, when nothing comes of it', () =>
    withTemporaryFolder(async (folder) => {
      await writeFiles(folder, {
        'modules/stuck.ts': 'await new Promise(() => {});\nexport default {};\n',
        'play.yaml': '- hosts: localhost\n  tasks: [debug: { message: hello }]\n',
      });
      const { exitCode, stderr } = await runCli(['play', 'play.yaml'], { cwd: folder });
      expect(exitCode).to.equal(1);
      expect(stderr).to.contain('nothing is left to wait for');
    }));

  it('is listed and explained', () =>
    withTemporaryFolder(async (folder) => {
      await writeFiles(folder, { 'mine/motd.ts': await readmeModule('/etc/motd') });
      const list = await runCli(['modules', '--modules', join(folder, 'mine')]);
      expect(list.stdout).to.match(/motd +resource +Keeps the message of the day/);
      const doc = await runCli(['doc', 'motd', '--modules', join(folder, 'mine')]);
      expect(doc.stdout).to.contain('What users see when they log in');
    }));
});

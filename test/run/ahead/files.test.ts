import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { createKeylessOpener, type FileOpener } from '../../../engine/language/encrypted-files.ts';
import { withTemporaryFolder } from '../../support/module-rig.ts';
import { localHosts, type PlayRun, play, playFiles, writeFiles } from '../../support/play.ts';

/** Files of the controller that tasks need, when hosts are asked ahead. */
describe("the controller's files, asked ahead", () => {
  it('are read once in a run, for the asking and for the doing, however many hosts get them', () =>
    withTemporaryFolder(async (folder) => {
      const opener = createKeylessOpener();
      const read: string[] = [];
      const counting: FileOpener = {
        open: (path, shown) => opener.open(path, shown).finally(() => read.push(basename(path))),
        openBytes: (path) => opener.openBytes(path).finally(() => read.push(basename(path))),
        digest: opener.digest,
      };
      const tasks = `
    - copy: { dest: "DIR/{{ inventory_hostname }}-a", content: a }
    - copy: { src: small, dest: "DIR/{{ inventory_hostname }}-b" }
    - file-template: { src: t.hbs, dest: "DIR/{{ inventory_hostname }}-c", vars: { x: 1 } }
`;
      const files = {
        'hosts.ini': localHosts(5),
        'play.yaml': `- hosts: web\n  tasks:${tasks.replaceAll('DIR', folder)}`,
      };
      await mkdir(join(folder, 'files'));
      await mkdir(join(folder, 'templates'));
      await writeFile(join(folder, 'files/small'), 'small\n');
      await writeFile(join(folder, 'templates/t.hbs'), '{{ x }}\n');
      // What was written in this moment could be written again in it.
      await setTimeout(50);
      // The check before the run looks at templates, too.
      const onEvent = ({ type }: PlayRun['events'][number]): void => {
        if (type === 'run-started') read.length = 0;
      };
      const { exitCode } = await play(folder, files, { opener: counting, onEvent });
      expect(exitCode).to.equal(0);
      expect(read).to.have.members(['small', 't.hbs']);
    }));

  it('are read once for their digest when they are large, by the journal, too', () =>
    withTemporaryFolder(async (folder) => {
      const opener = createKeylessOpener();
      const digested: string[] = [];
      const counting: FileOpener = {
        ...opener,
        digest: (path) => opener.digest(path).finally(() => digested.push(basename(path))),
      };
      const files = {
        'hosts.ini': localHosts(5),
        'play.yaml': `- hosts: web\n  tasks:\n    - copy: { src: large, dest: "${folder}/{{ inventory_hostname }}" }\n`,
      };
      await writeFiles(folder, { 'files/large': 'x'.repeat(300 * 1024) });
      // What was written in this moment could be written again in it.
      await setTimeout(50);
      const { exitCode } = await play(folder, files, { opener: counting, journalDirectory: join(folder, 'runs') });
      expect(exitCode).to.equal(0);
      expect(digested.filter((name) => name === 'large')).to.have.length(1);
    }));

  /** Plays a task that asks ahead, one that writes a file of the controller, and one that needs the file. */
  async function writtenByTheRun(written: string, content: string, needs: string): Promise<[PlayRun, string]> {
    const tasks = `
    - copy: { dest: DIR/first, content: x }
    - { name: write, copy: { dest: DIR/${written}, src: new } }
    - ${needs}
`;
    const files = {
      'hosts.ini': localHosts(1),
      'play.yaml': `- hosts: web\n  tasks:${tasks}`,
      'files/new': content,
      [written]: 'as it was before\n',
    };
    return playFiles(files, async (run, folder) => [
      run,
      await readFile(join(folder, 'got'), 'utf8').catch(() => run.said('need')),
    ]);
  }

  it('are what the run has made of them by then: a file to copy', async () => {
    const [, got] = await writtenByTheRun('files/f', 'made', '{ name: need, copy: { src: f, dest: DIR/got } }');
    expect(got).to.equal('made');
  });

  it('are what the run has made of them by then: a template, with the facts that it reads now', async () => {
    const need = '{ name: need, file-template: { src: t.hbs, dest: DIR/got } }';
    const [, got] = await writtenByTheRun('templates/t.hbs', 'made', need);
    expect(got).to.equal('made');
    const [run, text] = await writtenByTheRun('templates/t.hbs', 'of {{ facts.kernel }}', need);
    expect(text).to.match(/^of \d+\./);
    expect(run.ends).to.deep.equal([
      'h1: copy: changed',
      'h1: write: changed',
      'h1: Gather facts: ok',
      'h1: need: changed',
    ]);
  });

  it('are what the run has made of them since it read them', async () => {
    const tasks = `
    - copy: { src: f, dest: DIR/before }
    - copy: { dest: DIR/files/f, content: other }
    - copy: { src: f, dest: DIR/got }
`;
    const files = { 'hosts.ini': localHosts(1), 'play.yaml': `- hosts: web\n  tasks:${tasks}`, 'files/f': 'first' };
    await playFiles(files, async (_, folder) => {
      expect(await readFile(join(folder, 'before'), 'utf8')).to.equal('first');
      expect(await readFile(join(folder, 'got'), 'utf8')).to.equal('other');
    });
  });
});

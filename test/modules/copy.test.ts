import { chmod, lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import copy from '../../modules/copy.ts';
import { digestOf } from '../../modules/lib/file-state.ts';
import {
  applyLocally,
  diffOf,
  localController,
  output,
  predicted,
  stepsOf,
  withTemporaryFolder,
} from '../support/module-rig.ts';
import { failureOf, mistakesOf, modeOf } from './support.ts';

const root = 'mode=644\nuid=0\ngid=0\nsize=4\nowner=root\ngroup=root\n';
const old = `sha256=${digestOf(Buffer.from('old\n'))}\ncontent:\n${Buffer.from('old\n').toString('base64')}\n`;
const resource = 'file:/etc/x';

describe('copy', () => {
  describe('compares what a host answered', () => {
    const cases: { name: string; args?: Record<string, unknown>; answer: string; changes: unknown }[] = [
      {
        name: 'an equal file',
        answer: `real=/etc/x\ntype=file\n${root}sha256=${digestOf(Buffer.from('new\n'))}\n`,
        changes: [],
      },
      {
        name: 'another text, as text',
        answer: `real=/etc/x\ntype=file\n${root}${old}`,
        changes: [{ path: 'content', before: 'old\n', after: 'new\n', resource }],
      },
      {
        name: 'no file',
        answer: 'real=/etc/x\ntype=\n',
        changes: [
          { path: 'exists', before: false, after: true, resource },
          { path: 'content', before: null, after: 'new\n', resource },
          { path: 'mode', before: null, after: '0644', resource },
        ],
      },
      {
        name: 'a link, which becomes a file',
        answer: `real=/etc/x\ntype=link\n${root}target=y\n`,
        changes: [
          { path: 'type', before: 'link', after: 'file', resource },
          { path: 'content', before: null, after: 'new\n', resource },
          { path: 'mode', before: null, after: '0644', resource },
        ],
      },
      {
        name: 'a file that is no text, by digest and size',
        answer: `real=/etc/x\ntype=file\n${root}sha256=aa\ncontent:\n${Buffer.from([0, 1, 2, 3]).toString('base64')}\n`,
        changes: [
          { path: 'sha256', before: 'aa', after: digestOf(Buffer.from('new\n')), resource },
          { path: 'size', before: 4, after: 4, resource },
        ],
      },
      {
        name: 'another mode only',
        args: { mode: '0600' },
        answer: `real=/etc/x\ntype=file\n${root}sha256=${digestOf(Buffer.from('new\n'))}\n`,
        changes: [{ path: 'mode', before: '0644', after: '0600', resource }],
      },
    ];
    for (const { name, args, answer, changes } of cases) {
      it(name, async () => {
        const diff = await diffOf(copy, { dest: '/etc/x', content: 'new\n', ...args }, output(answer));
        expect(diff).to.deep.equal(changes);
      });
    }
  });

  it('puts the whole file only when its content differs', async () => {
    const args = { dest: '/etc/x', content: 'new\n', mode: '0600' };
    const same = `real=/etc/x\ntype=file\n${root}sha256=${digestOf(Buffer.from('new\n'))}\n`;
    expect(await stepsOf(copy, args, output(same))).to.containSubset([
      { kind: 'exec', script: { text: '{ chmod 00600 /etc/x\n}' } },
    ]);
    const steps = await stepsOf(copy, args, output(`real=/etc/x\ntype=file\n${root}${old}`));
    expect(steps).to.containSubset([{ kind: 'put', path: '/etc/x', mode: '0600' }]);
    expect(steps).to.have.length(1);
  });

  describe('says clearly why not', () => {
    const cases: [string, string, string][] = [
      [
        'a missing folder',
        'real=/opt/x/y\ntype=\nmissing=/opt/x\n',
        'the folder /opt/x does not exist; create it with the file module first',
      ],
      ['a folder', `real=/opt/x/y\ntype=directory\n${root}`, '/opt/x/y is a folder; "dest" must name the file'],
      ['a device', `real=/opt/x/y\ntype=other\n${root}`, '/opt/x/y is neither a file nor a folder'],
      [
        'an unreadable file',
        `real=/opt/x/y\ntype=file\n${root}unreadable=1\n`,
        '/opt/x/y cannot be read: permission denied',
      ],
    ];
    for (const [name, answer, message] of cases) {
      it(name, async () => {
        expect(await failureOf(diffOf(copy, { dest: '/opt/x/y', content: '' }, output(answer)))).to.contain(message);
      });
    }
  });

  it('knows in check mode what earlier tasks would have done', async () => {
    const args = { dest: '/opt/x/y', content: 'new\n' };
    const missing = output('real=/opt/x/y\ntype=\nmissing=/opt/x\nmissing=/opt\n');
    const diff = (resources: Record<string, Record<string, unknown>>, answer = missing) =>
      diffOf(copy, args, answer, { predicted: predicted(resources) });
    expect(await diff({ 'file:/opt/x': { exists: true, type: 'directory' } })).to.have.length(3);
    expect(await diff({ 'file:/opt/x/y': { exists: true, content: 'new\n', mode: '0644' } })).to.deep.equal([]);
    expect(await diff({ 'file:/opt/x/y': { exists: true, content: 'older\n' } })).to.containSubset([
      { path: 'content', before: 'older\n', after: 'new\n' },
    ]);
    expect(await diff({ 'file:/opt/x/y': { exists: true } })).to.have.property('unknown');
    expect(await diff({ command: { command: 'make install' } })).to.have.property('unknown');
    const there = output(`real=/opt/x/y\ntype=file\n${root}sha256=${digestOf(Buffer.from('new\n'))}\n`);
    expect(await diff({ 'file:/opt/x/y': { exists: false } }, there)).to.have.length(3);
    expect(await failureOf(diff({ 'file:/opt/x': { exists: false } }, there))).to.contain('/opt/x does not exist');
  });

  it('refuses arguments that contradict each other', () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ dest: '/x' }, 'exactly one of "src" and "content" is required'],
      [{ dest: '/x', src: 'a', content: 'b' }, 'exactly one of "src" and "content" is required'],
      [{ dest: 'x', src: 'a' }, '"dest" must be an absolute path'],
      [{ dest: '/x/', content: 'b' }, '"dest" must name the file'],
      [{ dest: '/x', src: 'a', remote_src: true }, '"src" must be an absolute path'],
      [{ dest: '/x', src: 'a', validate: 'true' }, '"validate" must contain %s'],
    ];
    for (const [args, message] of cases) expect(mistakesOf(copy, args).join('\n')).to.contain(message);
  });

  describe('on this machine', () => {
    const twice = async (args: Record<string, unknown>, controller = localController()): Promise<string[]> => {
      const first = await applyLocally(copy, args, { controller });
      expect((await applyLocally(copy, args, { controller })).changes, 'second run').to.deep.equal([]);
      return first.changes.map((c) => c.path);
    };

    it('copies a text, then nothing', () =>
      withTemporaryFolder(async (folder) => {
        const dest = join(folder, "it's a file");
        expect(await twice({ dest, content: 'one\n', mode: '0600' })).to.deep.equal(['exists', 'content', 'mode']);
        expect(await readFile(dest, 'utf8')).to.equal('one\n');
        expect(await modeOf(dest)).to.equal('0600');
        expect(await twice({ dest, content: '' })).to.deep.equal(['content']);
      }));

    it('copies a file that takes time to read, then nothing', () =>
      withTemporaryFolder(async (folder) => {
        await writeFile(join(folder, 'large'), Buffer.alloc(12_000_000, 'large'));
        const args = { src: join(folder, 'large'), dest: join(folder, 'there') };
        expect(await twice(args, localController(folder))).to.include('sha256');
        expect((await readFile(join(folder, 'there'))).equals(await readFile(join(folder, 'large')))).to.equal(true);
      }));

    it('copies a file of the controller into a folder under its own name', () =>
      withTemporaryFolder(async (folder) => {
        await mkdir(join(folder, 'files'));
        await writeFile(join(folder, 'files', 'blob'), Buffer.from([0, 255, 1]));
        const args = { src: 'blob', dest: `${folder}/` };
        expect(await twice(args, localController(folder))).to.deep.equal(['exists', 'sha256', 'size', 'mode']);
        expect(await readFile(join(folder, 'blob'))).to.deep.equal(Buffer.from([0, 255, 1]));
        const taken = { src: 'blob', dest: join(folder, 'files') };
        expect(await failureOf(applyLocally(copy, taken, { controller: localController(folder) }))).to.contain(
          'is a folder; "dest" must name the file',
        );
      }));

    it('leaves the file alone when validate refuses the new one', () =>
      withTemporaryFolder(async (folder) => {
        const dest = join(folder, 'f');
        await writeFile(dest, 'good\n');
        const args = { dest, content: 'bad\n', validate: 'grep -q good %s' };
        expect(await failureOf(applyLocally(copy, args))).to.contain('validation failed');
        expect(await readFile(dest, 'utf8')).to.equal('good\n');
      }));

    it('copies from a path of the host, with attributes and a backup', () =>
      withTemporaryFolder(async (folder) => {
        const [src, dest] = [join(folder, 'a b'), join(folder, 'c d')];
        await writeFile(src, 'one\n');
        const args = { src, dest, remote_src: true, backup: true };
        expect(await twice({ ...args, mode: '0640' })).to.deep.equal(['exists', 'content', 'mode']);
        await writeFile(src, 'two\n');
        const second = await applyLocally(copy, args);
        expect(second.changes).to.containSubset([{ path: 'content', before: 'one\n', after: 'two\n' }]);
        expect(await modeOf(dest), 'kept').to.equal('0640');
        expect(await readFile(String(second.values.backup), 'utf8')).to.equal('one\n');
        await chmod(dest, 0o600);
        expect(await twice({ ...args, mode: '0640' })).to.deep.equal(['mode']);
        expect(await readdir(folder)).to.have.length(3);
      }));

    it('copies from a path of the host nothing that validate refuses', () =>
      withTemporaryFolder(async (folder) => {
        const [src, dest] = [join(folder, 'a'), join(folder, 'b')];
        await writeFile(src, 'bad\n');
        const args = { src, dest, remote_src: true, validate: "grep -q good %s || { echo 'not good'; exit 1; }" };
        expect(await failureOf(applyLocally(copy, args))).to.contain('not good');
        expect(await readdir(folder)).to.deep.equal(['a']);
        expect(await failureOf(applyLocally(copy, { ...args, src: '/nowhere' }))).to.contain(
          '/nowhere does not exist on the host',
        );
      }));

    it('replaces a link by a file', () =>
      withTemporaryFolder(async (folder) => {
        await writeFile(join(folder, 'real'), 'kept\n');
        await symlink('real', join(folder, 'link'));
        expect(await twice({ dest: join(folder, 'link'), content: 'new\n' })).to.deep.equal([
          'type',
          'content',
          'mode',
        ]);
        expect((await lstat(join(folder, 'link'))).isFile()).to.equal(true);
        expect(await readFile(join(folder, 'real'), 'utf8')).to.equal('kept\n');
      }));

    it('replaces a link to a folder, and puts nothing into that folder', () =>
      withTemporaryFolder(async (folder) => {
        await writeFile(join(folder, 'source'), 'new\n');
        await mkdir(join(folder, 'real'));
        for (const args of [{ content: 'new\n' }, { src: join(folder, 'source'), remote_src: true }]) {
          const dest = join(folder, 'remote_src' in args ? 'b' : 'a');
          await symlink('real', dest);
          await twice({ dest, ...args });
          expect((await lstat(dest)).isFile()).to.equal(true);
        }
        expect(await readdir(join(folder, 'real'))).to.deep.equal([]);
        expect(await readdir(folder)).to.deep.equal(['a', 'b', 'real', 'source']);
      }));

    it('keeps a link when validate refuses the file for its place', () =>
      withTemporaryFolder(async (folder) => {
        const dest = join(folder, 'masked');
        await symlink('/dev/null', dest);
        expect(await failureOf(applyLocally(copy, { dest, content: 'x\n', validate: 'false %s' }))).to.contain(
          'failed',
        );
        expect(await readdir(folder)).to.deep.equal(['masked']);
        await twice({ dest, content: 'x\n' });
        expect((await lstat(dest)).isFile()).to.equal(true);
      }));
  });
});

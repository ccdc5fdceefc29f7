import { chmod, lstat, mkdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkArguments, createValidator } from '../../engine/module/arguments.ts';
import file from '../../modules/file.ts';
import { applyLocally, diffOf, output, predicted, withTemporaryFolder } from '../support/module-rig.ts';
import { failureOf, mistakesOf, modeOf } from './support.ts';

const present = 'mode=644\nuid=0\ngid=0\nsize=5\nowner=root\ngroup=root\n';

describe('file', () => {
  describe('compares what a host answered', () => {
    const cases: {
      name: string;
      args: Record<string, unknown>;
      answer: string;
      changes: Record<string, [unknown, unknown]>;
    }[] = [
      {
        name: 'a folder that is there',
        args: { path: '/opt/x', state: 'directory', mode: '0755' },
        answer: 'real=/opt/x\ntype=directory\nmode=755\nuid=0\ngid=0\nsize=1\nowner=root\ngroup=root\n',
        changes: {},
      },
      {
        name: 'a folder that is not there, with one above it',
        args: { path: '/opt/x/y', state: 'directory', mode: '755' },
        answer: 'real=/opt/x/y\ntype=\nmissing=/opt/x\n',
        changes: {
          'file:/opt/x exists': [false, true],
          'file:/opt/x type': [null, 'directory'],
          'file:/opt/x/y exists': [false, true],
          'file:/opt/x/y type': [null, 'directory'],
          'file:/opt/x/y mode': [null, '0755'],
        },
      },
      {
        name: 'a file with another mode and owner',
        args: { path: '/etc/x', mode: '0600', owner: 'daemon', group: '0' },
        answer: `real=/etc/x\ntype=file\n${present}`,
        changes: { 'file:/etc/x mode': ['0644', '0600'], 'file:/etc/x owner': ['root', 'daemon'] },
      },
      {
        name: 'an owner by number',
        args: { path: '/etc/x', owner: '0' },
        answer: `real=/etc/x\ntype=file\n${present}`,
        changes: {},
      },
      {
        name: 'a link that points elsewhere',
        args: { path: '/usr/bin/k', state: 'link', target: '/opt/new' },
        answer: 'real=/usr/bin/k\ntype=link\nmode=777\nuid=0\ngid=0\nsize=1\nowner=root\ngroup=root\ntarget=/opt/old\n',
        changes: { 'file:/usr/bin/k target': ['/opt/old', '/opt/new'] },
      },
      {
        name: 'a file that must go',
        args: { path: '/etc/x', state: 'absent' },
        answer: `real=/etc/x\ntype=file\n${present}`,
        changes: { 'file:/etc/x exists': [true, false] },
      },
      {
        name: 'a tree with entries that differ',
        args: { path: '/opt/x', state: 'directory', recurse: true, owner: 'root', mode: '0755' },
        answer:
          'real=/opt/x\ntype=directory\nmode=755\nuid=0\ngid=0\nsize=1\nowner=root\ngroup=root\nowner_below=3\nmode_below=1\n',
        changes: {
          'file:/opt/x/ mode of entries': ['1 differs', '0755'],
          'file:/opt/x/ owner of entries': ['3 differ', 'root'],
        },
      },
    ];
    for (const { name, args, answer, changes } of cases) {
      it(name, async () => {
        const diff = await diffOf(file, args, output(answer));
        if ('unknown' in diff) throw new Error(diff.unknown);
        const found = Object.fromEntries(diff.map((c) => [`${c.resource} ${c.path}`, [c.before, c.after]]));
        expect(found).to.deep.equal(changes);
      });
    }
  });

  describe('says clearly why not', () => {
    const cases: [string, Record<string, unknown>, string, string][] = [
      [
        'a missing file',
        { path: '/etc/x' },
        'real=/etc/x\ntype=\n',
        '/etc/x does not exist; state: file only sets attributes',
      ],
      [
        'a file in place of a folder',
        { path: '/etc/x', state: 'directory' },
        `real=/etc/x\ntype=file\n${present}`,
        '/etc/x is a file, not a folder',
      ],
      [
        'a file in place of a link',
        { path: '/etc/x', state: 'link', target: 'y' },
        `real=/etc/x\ntype=file\n${present}`,
        'force: true replaces it',
      ],
      [
        'a mount point',
        { path: '/mnt/x', state: 'absent' },
        `real=/mnt/x\ntype=directory\n${present}mount=/mnt/x/data\n`,
        '/mnt/x is a mount point or contains one, so it is not removed; unmount first\n/mnt/x/data',
      ],
      [
        'an unknown owner',
        { path: '/etc/x', owner: 'nobdy' },
        `real=/etc/x\ntype=file\n${present}unknown=user nobdy\n`,
        'the user nobdy does not exist on this host',
      ],
      [
        'no permission',
        { path: '/root/x' },
        'real=/root/x\ntype=\ndenied=1\n',
        '/root/x cannot be examined: permission denied',
      ],
      [
        'a file above',
        { path: '/etc/x/y', state: 'directory' },
        'real=/etc/x/y\ntype=\nobstacle=/etc/x\n',
        '/etc/x is no folder',
      ],
      [
        'a link without its folder',
        { path: '/opt/x/k', state: 'link', target: '/a' },
        'real=/opt/x/k\ntype=\nmissing=/opt/x\n',
        'the folder /opt/x does not exist; create it with the file module first',
      ],
    ];
    for (const [name, args, answer, message] of cases) {
      it(name, async () => expect(await failureOf(diffOf(file, args, output(answer)))).to.contain(message));
    }
  });

  it('knows in check mode what earlier tasks would have done', async () => {
    const missing = output('real=/opt/x/y\ntype=\nmissing=/opt/x\n');
    const link = { path: '/opt/x/y', state: 'link', target: '/a' };
    const made = predicted({ 'file:/opt/x': { exists: true, type: 'directory' } });
    expect(await diffOf(file, link, missing, { predicted: made })).to.have.length(3);
    const done = predicted({ 'file:/opt/x/y': { exists: true, type: 'directory' } });
    expect(await diffOf(file, { path: '/opt/x/y', state: 'directory' }, missing, { predicted: done })).to.deep.equal(
      [],
    );
    const gone = predicted({ 'file:/opt/x': { exists: false } });
    const there = output(`real=/opt/x/y\ntype=file\n${present}`);
    expect(await diffOf(file, { path: '/opt/x/y', state: 'absent' }, there, { predicted: gone })).to.deep.equal([]);
    const created = predicted({ 'file:/opt/x/y': { exists: true } });
    expect(
      await diffOf(file, { path: '/opt/x/y', state: 'directory' }, missing, { predicted: created }),
    ).to.have.property('unknown');
    const command = predicted({ command: { command: 'make all' } });
    expect(await diffOf(file, { path: '/opt/x/y' }, missing, { predicted: command })).to.have.property('unknown');
  });

  it('refuses arguments that contradict each other', () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ path: 'etc/x' }, '"path" must be an absolute path, not "etc/x"'],
      [{ path: '/etc/../x' }, '"path" must not contain "..": /etc/../x'],
      [{ path: '/', state: 'absent' }, '"/" cannot be removed'],
      [{ path: '//', state: 'absent' }, '"/" cannot be removed'],
      [{ path: '/x', state: 'link' }, '"target" is required for state: link'],
      [{ path: '/x', target: '/y' }, '"target" is for state: link'],
      [{ path: '/x', recurse: true }, '"recurse" is for state: directory'],
      [{ path: '/x', mode: 'rwx' }, '"mode" must look like'],
    ];
    for (const [args, message] of cases) expect(mistakesOf(file, args).join('\n')).to.contain(message);
    expect(checkArguments(createValidator(), file, { path: '/x' })).to.deep.equal([]);
  });

  describe('on this machine', () => {
    const twice = async (args: Record<string, unknown>): Promise<string[]> => {
      const first = await applyLocally(file, args);
      expect((await applyLocally(file, args)).changes, 'second run').to.deep.equal([]);
      return first.changes.map((c) => c.path);
    };

    it('makes a folder with the folders above it', () =>
      withTemporaryFolder(async (root) => {
        const path = join(root, 'a b', "it's", 'c');
        expect(await twice({ path, state: 'directory', mode: '2750' })).to.deep.equal([
          'exists',
          'type',
          'exists',
          'type',
          'exists',
          'type',
          'mode',
        ]);
        expect(await modeOf(path)).to.equal('2750');
        // GNU chmod would keep the set-gid bit of a folder.
        expect(await twice({ path, state: 'directory', mode: '0755' })).to.deep.equal(['mode']);
        expect(await modeOf(path)).to.equal('0755');
      }));

    it('sets a mode and touches nothing else of a file', () =>
      withTemporaryFolder(async (root) => {
        const path = join(root, 'f');
        await writeFile(path, 'text', { mode: 0o644 });
        expect(await twice({ path, mode: '600' })).to.deep.equal(['mode']);
        expect(await readFile(path, 'utf8')).to.equal('text');
      }));

    it('makes a link, points it elsewhere, and replaces a folder only with force', () =>
      withTemporaryFolder(async (root) => {
        const path = join(root, 'link');
        await mkdir(join(root, 'old'));
        expect(await twice({ path, state: 'link', target: 'old' })).to.deep.equal(['exists', 'type', 'target']);
        expect(await twice({ path, state: 'link', target: 'new name' })).to.deep.equal(['target']);
        expect(await readlink(path)).to.equal('new name');
        await mkdir(join(root, 'folder', 'sub'), { recursive: true });
        expect(await twice({ path, state: 'link', target: '-rf' })).to.deep.equal(['target']);
        expect(await twice({ path, state: 'link', target: 'new name' })).to.deep.equal(['target']);
        const taken = { path: join(root, 'folder'), state: 'link', target: 'old' };
        expect(await failureOf(applyLocally(file, taken))).to.contain('force: true replaces it');
        expect(await twice({ ...taken, force: true })).to.deep.equal(['type', 'target']);
        expect((await lstat(taken.path)).isSymbolicLink()).to.equal(true);
      }));

    it('accepts a link to a folder as the folder', () =>
      withTemporaryFolder(async (root) => {
        await mkdir(join(root, 'real'), { mode: 0o755 });
        await symlink('real', join(root, 'link'));
        expect(await twice({ path: join(root, 'link'), state: 'directory', mode: '0700' })).to.deep.equal(['mode']);
        expect(await modeOf(join(root, 'real'))).to.equal('0700');
        expect((await lstat(join(root, 'link'))).isSymbolicLink()).to.equal(true);
      }));

    it('removes a tree, and a link without what it leads to', () =>
      withTemporaryFolder(async (root) => {
        await mkdir(join(root, 'tree', 'sub'), { recursive: true });
        await symlink('tree', join(root, 'link'));
        expect(await twice({ path: join(root, 'link'), state: 'absent' })).to.deep.equal(['exists']);
        await stat(join(root, 'tree'));
        expect(await twice({ path: join(root, 'tree'), state: 'absent' })).to.deep.equal(['exists']);
      }));

    it('refuses to remove a mount point', async () => {
      expect(await failureOf(applyLocally(file, { path: '/proc', state: 'absent' }))).to.contain('mount point');
    });

    it('sets a whole tree, with execute bits only where they are', () =>
      withTemporaryFolder(async (root) => {
        const path = join(root, 'tree');
        await mkdir(join(path, 'sub'), { recursive: true, mode: 0o700 });
        await writeFile(join(path, 'sub', 'plain'), '', { mode: 0o600 });
        await writeFile(join(path, 'run me'), '');
        await chmod(join(path, 'run me'), 0o700);
        const args = { path, state: 'directory', recurse: true, mode: '0755' };
        expect(await twice(args)).to.include('mode of entries');
        expect(await modeOf(join(path, 'sub'))).to.equal('0755');
        expect(await modeOf(join(path, 'sub', 'plain'))).to.equal('0644');
        expect(await modeOf(join(path, 'run me'))).to.equal('0755');
      }));

    it('sets owner and group, also below', async function () {
      if (process.getuid?.() !== 0) this.skip();
      await withTemporaryFolder(async (root) => {
        await writeFile(join(root, 'f'), '');
        const args = { path: root, state: 'directory', recurse: true, owner: 'daemon', group: '1' };
        expect(await twice(args)).to.deep.equal(['owner', 'group', 'owner of entries', 'group of entries']);
        expect((await stat(join(root, 'f'))).uid).to.equal(1);
        expect(await failureOf(applyLocally(file, { path: root, state: 'directory', group: 'nogrp' }))).to.contain(
          'the group nogrp does not exist on this host',
        );
      });
    });
  });
});

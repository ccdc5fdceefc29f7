import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { sh } from '../../../engine/index.ts';
import file from '../../../modules/file.ts';
import { describeFile, digestOf, parseFile } from '../../../modules/lib/file-state.ts';
import { runLocally, withTemporaryFolder } from '../../support/module-rig.ts';

const busybox = '/usr/bin/busybox';

describe('probes on a host that has busybox alone', () => {
  before(function () {
    if (!existsSync(busybox)) this.skip();
  });

  it('describe a file as they do with coreutils', () =>
    withTemporaryFolder(async (folder) => {
      const bin = join(folder, 'bin');
      await mkdir(bin);
      execFileSync(busybox, ['--install', '-s', bin]);
      const path = join(folder, "it's a file");
      await writeFile(path, 'text\n', { mode: 0o640 });
      await symlink(path, join(folder, 'link'));
      const question = { follow: true, digest: true, contentUpTo: 100, owner: 'nobdy', group: 'root' };
      const ask = async (name: string) => {
        const script = sh`PATH=${bin} exec ${busybox} sh -c ${describeFile(name, question).text}`;
        const { stdout } = await runLocally(script);
        return parseFile(name, stdout);
      };
      const found = await ask(join(folder, 'link'));
      expect(found).to.deep.include({
        type: 'file',
        mode: '0640',
        size: 5,
        realPath: path,
        unknownNames: ['user nobdy'],
      });
      expect(found.sha256).to.equal(digestOf(Buffer.from('text\n')));
      expect(found.content?.toString()).to.equal('text\n');
      const missing = await ask(join(folder, 'a', 'b', 'c'));
      expect(missing).to.deep.include({ type: null, missingFolders: [join(folder, 'a', 'b'), join(folder, 'a')] });
    }));

  it('find what differs in a tree', () =>
    withTemporaryFolder(async (folder) => {
      const bin = join(folder, 'bin');
      await mkdir(bin);
      execFileSync(busybox, ['--install', '-s', bin]);
      const tree = join(folder, 'tree');
      await mkdir(join(tree, 'sub'), { recursive: true, mode: 0o755 });
      await writeFile(join(tree, 'a'), '', { mode: 0o600 });
      if (file.kind !== 'resource') throw new Error('no resource');
      const args = { path: tree, state: 'directory', recurse: true, mode: '0755', owner: '12345', force: false };
      const probe = file.probe(args as never, undefined);
      const { stdout } = await runLocally(sh`PATH=${bin} exec ${busybox} sh -c ${probe.script.text}`);
      expect(probe.parse({ rc: 0, stdout, stderr: '' })).to.deep.include({
        differing: { mode: 1, owner: 2, group: 0 },
      });
    }));
});

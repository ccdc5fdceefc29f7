import { spawnSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { cleanPath, describeFile, type FileState, folderOf, parseFile } from '../../modules/lib/file-state.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';

describe('a path', () => {
  const spellings: Readonly<Record<string, string>> = {
    '/': '/',
    '//': '/',
    '/.': '/',
    '/a': '/a',
    '/a/': '/a',
    '//a//b': '/a/b',
    '/a/./b/.': '/a/b',
    '/.a/..b/.c.d': '/.a/..b/.c.d',
    '/a b/c\nd': '/a b/c\nd',
    'a/b': '/a/b',
  };

  it('is one resource, however it is spelled', () => {
    for (const [spelled, clean] of Object.entries(spellings)) expect(cleanPath(spelled), spelled).to.equal(clean);
  });

  it('is in a folder, the last of which is the root', () => {
    expect([folderOf('/a//b/'), folderOf('/a'), folderOf('/')]).to.deep.equal(['/a', '/', '/']);
  });
});

const shells = ['sh', 'bash', 'busybox sh'].filter((shell) => spawnSync('sh', ['-c', `${shell} -c :`]).status === 0);
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const canBeNobody = spawnSync(nobody[0] ?? '', [...nobody.slice(1), 'true']).status === 0;

/** What a shell answers of a path, as a user who may not go everywhere. */
function ask(
  shell: string,
  path: string,
  options: { asNobody?: boolean; programs?: string; owner?: string },
): FileState {
  const script = describeFile(path, { owner: options.owner }).text;
  const [program = '', ...args] = [...(options.asNobody ? nobody : []), ...shell.split(' '), '-c', script];
  const env = { PATH: [options.programs, process.env.PATH].filter(Boolean).join(':'), LC_ALL: 'C' };
  return parseFile(path, spawnSync(program, args, { encoding: 'utf8', env }).stdout);
}

for (const shell of shells) {
  describe(`what is asked of a path in ${shell}`, () => {
    it('is denied, and not answered with nothing, where a folder or that of a link may not be searched', function () {
      if (!canBeNobody) this.skip();
      return withTemporaryFolder(async (folder) => {
        await chmod(folder, 0o755);
        await mkdir(join(folder, 'closed/inner'), { recursive: true });
        await chmod(join(folder, 'closed'), 0o700);
        await symlink(join(folder, 'closed/inner'), join(folder, 'link'));
        for (const path of ['closed/x', 'closed/inner/x', 'link/x', 'link/a/b']) {
          const asked = (): FileState => ask(shell, join(folder, path), { asNobody: true });
          expect(asked, path).to.throw(/permission denied/);
        }
        for (const path of ['x', 'a/b/c']) {
          expect(ask(shell, join(folder, path), { asNobody: true }).type, path).to.equal(null);
        }
      });
    });

    it('tells where a path is that goes through links', () =>
      withTemporaryFolder(async (folder) => {
        await mkdir(join(folder, 'real'));
        await symlink('real', join(folder, 'link'));
        expect(ask(shell, join(folder, 'link/a/b'), {}).physicalPath).to.equal(join(folder, 'real/a/b'));
        expect(ask(shell, join(folder, 'real/a'), {}).physicalPath).to.equal(join(folder, 'real/a'));
      }));

    it('tells who would own what is made there, whatever the names', () =>
      withTemporaryFolder(async (folder) => {
        const makers = {
          'uid=0(root) gid=0(root) groups=0(root)': 'root:root',
          'uid=1000(john) gid=513(domain users) groups=513(domain users),100(users)': 'john:domain users',
          'uid=1234 gid=4321 groups=4321': '1234:4321',
          'uid=0(root) gid=0(root) groups=0(root) context=unconfined_u:unconfined_r:unconfined_t:s0': 'root:root',
          'uid=5(games) gid=60(games)': 'games:games',
        };
        for (const [said, wanted] of Object.entries(makers)) {
          await writeFile(join(folder, 'id'), `#!/bin/sh\n[ $# -gt 0 ] || echo '${said}'\n`, { mode: 0o755 });
          const { maker } = ask(shell, join(folder, 'x'), { programs: folder, owner: 'somebody' });
          expect(`${maker?.owner}:${maker?.group}`, said).to.equal(wanted);
        }
      }));
  });
}

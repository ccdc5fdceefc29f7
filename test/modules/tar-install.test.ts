import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  access,
  chmod,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { Diff } from '../../engine/module/contract.ts';
import { controllerFor, createFileStore } from '../../engine/run/controller.ts';
import tarInstall from '../../modules/tar-install.ts';
import {
  applyLocally,
  checkLocally,
  localController,
  nothingPredicted,
  predicted,
  withTemporaryFolder,
} from '../support/module-rig.ts';
import { failureOf, mistakesOf, modeOf } from './support.ts';

/** A folder with archives, a destination and the manifests, removed after the test. */
interface Place {
  readonly folder: string;
  readonly dest: string;
  /** Makes an archive of files (text, or a link as `-> target`) and gives its name. */
  archive(name: string, files: Record<string, string>, flags?: readonly string[]): Promise<string>;
  args(src: string, more?: Record<string, unknown>): Record<string, unknown>;
  install(src: string, more?: Record<string, unknown>): ReturnType<typeof applyLocally>;
  /** What check mode would say. */
  check(
    src: string,
    more?: Record<string, unknown>,
    resources?: Record<string, Record<string, unknown>>,
  ): Promise<Diff>;
  /** What check mode would remember besides, below dest, by path. */
  implied(src: string): Promise<Record<string, Record<string, unknown>>>;
}

async function withPlace(body: (place: Place) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    const dest = join(folder, 'dest');
    const controller = localController(folder);
    const args: Place['args'] = (src, more = {}) => ({ src, dest, state_dir: join(folder, 'state'), ...more });
    await body({
      folder,
      dest,
      args,
      archive: async (name, files, flags = ['-czf']) => {
        const tree = join(folder, `tree-of-${name}`);
        await rm(tree, { recursive: true, force: true });
        for (const [path, text] of Object.entries(files)) {
          await mkdir(dirname(join(tree, path)), { recursive: true });
          if (text.startsWith('-> ')) await symlink(text.slice(3), join(tree, path));
          else await writeFile(join(tree, path), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
        }
        execFileSync('tar', [...flags, join(folder, name), '-C', tree, '.']);
        return name;
      },
      install: (src, more) => applyLocally(tarInstall, args(src, more), { controller }),
      check: async (src, more, resources) => {
        const expected = resources ? predicted(resources) : nothingPredicted;
        return (await checkLocally(tarInstall, args(src, more), { controller, predicted: expected })).diff;
      },
      implied: async (src) => {
        const files: Record<string, Record<string, unknown>> = {};
        const { implied } = await checkLocally(tarInstall, args(src), { controller });
        for (const { resource = '', path, after } of implied) {
          if (!resource.startsWith('file:')) continue;
          const file = resource.replace(/.*\/dest/, '');
          files[file] = { ...files[file], [path]: after };
        }
        return files;
      },
    });
  });
}

const program = (version: string): string => `#!/bin/sh\necho "tool github.com/x ${version}"\n`;
const release = (version: string): Record<string, string> => ({
  'bin/tool': program(version),
  'bin/toolctl': program(version),
  'bin/t': '-> tool',
  'share/doc/README': `about ${version}\n`,
});

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function everything(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}

async function digestOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

/** Serves a folder and notes what was asked for. */
async function withServer(root: string, body: (url: string, requests: string[]) => Promise<void>): Promise<void> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    readFile(join(root, request.url ?? '')).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    // A TCP server's address is no string.
    await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests);
  } finally {
    server.close();
  }
}

function changesOf(diff: Diff): string[] {
  if ('unknown' in diff) return [diff.unknown];
  return diff.map((c) => `${c.resource?.replace(/.*\/dest/, '')} ${c.path}: ${c.before} -> ${c.after}`);
}

describe('tar-install', function () {
  this.timeout(60_000);

  it('installs files, folders and links, and then asks only', () =>
    withPlace(async ({ archive, install, dest, folder }) => {
      const src = await archive('tool-1.0-linux-amd64.tar.gz', release('v1.0'));
      const first = await install(src, { version: { command: './bin/tool --version', expect: 'v1.0' } });
      expect(first.changes[0]).to.include({ path: 'archive', before: null });
      expect(first.values).to.include({ archive: src, version: 'tool github.com/x v1.0', files: 4 });
      expect(await everything(dest)).to.deep.equal([
        'bin',
        'bin/t',
        'bin/tool',
        'bin/toolctl',
        'share',
        'share/doc',
        'share/doc/README',
      ]);
      expect(await readlink(join(dest, 'bin/t'))).to.equal('tool');
      expect(await modeOf(join(dest, 'bin/tool'))).to.equal('0755');
      const second = await install(src, { version: { command: './bin/tool --version', expect: 'v1.0' } });
      expect(second.changes).to.deep.equal([]);
      expect(second.values).to.deep.equal(first.values);
      // The default name has no version in it: the next one finds the manifest.
      expect(first.values.name).to.match(/-dest-tool$/);
      expect(await readdir(join(folder, 'state'))).to.deep.equal([first.values.name]);
    }));

  it('installs a new version, and removes what it no longer has with its empty folders', () =>
    withPlace(async ({ archive, install, dest }) => {
      await install(await archive('tool-1.0.tar.gz', release('v1.0')));
      await writeFile(join(dest, 'bin/other'), 'not ours');
      const { changes } = await install(await archive('tool-1.1.tar.gz', { 'bin/tool': program('v1.1') }));
      expect(changes[0]?.before).to.match(/^tool-1\.0\.tar\.gz \(sha256 [0-9a-f]{12}\)$/);
      expect(await everything(dest)).to.deep.equal(['bin', 'bin/other', 'bin/tool']);
      expect(await readFile(join(dest, 'bin/tool'), 'utf8')).to.equal(program('v1.1'));
    }));

  it('replaces a program that is running', () =>
    withPlace(async ({ archive, install, folder, dest }) => {
      const tree = join(folder, 'sleeper');
      await mkdir(tree);
      await cp('/bin/sleep', join(tree, 'sleeper'));
      execFileSync('tar', ['-cf', join(folder, 'a.tar'), '-C', tree, 'sleeper']);
      await install('a.tar', { name: 'sleeper' });
      const running: ChildProcess = spawn(join(dest, 'sleeper'), ['60']);
      await once(running, 'spawn');
      try {
        await archive('b.tar', { sleeper: program('v2') }, ['-cf']);
        await install('b.tar', { name: 'sleeper' });
        expect(await readFile(join(dest, 'sleeper'), 'utf8')).to.equal(program('v2'));
        expect(running.exitCode).to.equal(null);
      } finally {
        running.kill();
      }
    }));

  describe('notices', () => {
    const drifts: { name: string; drift: (dest: string) => Promise<unknown>; change: RegExp }[] = [
      {
        name: 'a removed file',
        drift: (dest) => rm(join(dest, 'bin/tool')),
        change: /bin\/tool exists: false -> true/,
      },
      {
        name: 'a changed file of the same size',
        drift: (dest) => writeFile(join(dest, 'bin/tool'), program('v6.6').slice(0, -2) + program('v1.0').slice(-2)),
        change: /bin\/tool sha256: \(changed since\) -> [0-9a-f]{64}/,
      },
      {
        name: 'another mode',
        drift: (dest) => chmod(join(dest, 'bin/tool'), 0o700),
        change: /bin\/tool mode: 0700 -> 0755/,
      },
      {
        name: 'a link that leads elsewhere',
        drift: async (dest) => {
          await rm(join(dest, 'bin/t'));
          await symlink('/bin/true', join(dest, 'bin/t'));
        },
        change: /bin\/t sha256: \(changed since\) -> \(as installed\)/,
      },
      {
        name: 'a file in place of a link',
        drift: async (dest) => {
          await rm(join(dest, 'bin/t'));
          await writeFile(join(dest, 'bin/t'), 'x');
        },
        change: /bin\/t exists: false -> true/,
      },
    ];
    for (const { name, drift, change } of drifts) {
      it(`${name}, and puts it right`, () =>
        withPlace(async ({ archive, install, check, dest }) => {
          const src = await archive('tool.tar.gz', release('v1.0'));
          await install(src);
          await drift(dest);
          const changes = changesOf(await check(src));
          expect(changes).to.have.length(1);
          expect(changes[0]).to.match(change);
          await install(src);
          expect(await check(src)).to.deep.equal([]);
          expect(await readFile(join(dest, 'bin/tool'), 'utf8')).to.equal(program('v1.0'));
        }));
    }

    it('nothing in files that were only touched', () =>
      withPlace(async ({ archive, install, check, dest }) => {
        const src = await archive('tool.tar.gz', release('v1.0'));
        await install(src);
        await utimes(join(dest, 'bin/tool'), 1, 1);
        expect(await check(src)).to.deep.equal([]);
      }));

    it('other options', () =>
      withPlace(async ({ archive, install, check, dest }) => {
        const src = await archive('tool.tar.gz', release('v1.0'));
        await install(src);
        expect(changesOf(await check(src, { mode: '0700' }))[0]).to.match(
          /archive: tool\.tar\.gz .* -> tool\.tar\.gz .*, with other options$/,
        );
        await install(src, { mode: '0700' });
        expect(await modeOf(join(dest, 'share/doc/README'))).to.equal('0700');
      }));
  });

  it('leaves out leading folders and takes what is included', () =>
    withPlace(async ({ archive, install, dest }) => {
      const files = {
        'tool-1.0/bin/tool': program('v1'),
        'tool-1.0/bin/sub/x': 'x',
        'tool-1.0/doc/README': 'r',
        'tool-1.0/a b[c]': 'odd',
      };
      const src = await archive('tool.tar.gz', files);
      // GNU tar counts `./`, with which these archives begin, as one.
      await install(src, { strip_components: 2, include: ['bin', 'a *'] });
      expect(await everything(dest)).to.deep.equal(['a b[c]', 'bin', 'bin/sub', 'bin/sub/x', 'bin/tool']);
    }));

  it('sets mode, owner and group', () =>
    withPlace(async ({ archive, install, dest }) => {
      const src = await archive('tool.tar.gz', { tool: program('v1') });
      const isRoot = process.getuid?.() === 0;
      await install(src, { mode: '0750', ...(isRoot && { owner: '1', group: '2' }) });
      expect(await modeOf(join(dest, 'tool'))).to.equal('0750');
      if (isRoot) expect(await stat(join(dest, 'tool'))).to.include({ uid: 1, gid: 2 });
    }));

  describe('refuses, and leaves nothing behind,', () => {
    const files = release('v1.0');
    const sha256 = 'a'.repeat(64);

    /** Makes what is inside of a tar with `transform`, which GNU tar does not do by itself. */
    function hostile(place: Place, name: string, transform: string, flags: string[] = []): string {
      const tree = join(place.folder, 'hostile');
      execFileSync('sh', [
        '-c',
        'mkdir -p "$1/d" && echo x >"$1/d/f" && ln -sf f "$1/d/l" && ln -f "$1/d/f" "$1/d/h"',
        'sh',
        tree,
      ]);
      execFileSync('tar', ['-cPf', join(place.folder, name), ...flags, '--transform', transform, '-C', tree, 'd']);
      return name;
    }

    const cases: {
      name: string;
      src: (place: Place) => Promise<string> | string;
      more?: Record<string, unknown>;
      says: RegExp;
    }[] = [
      {
        name: 'a file with another digest',
        src: (p) => p.archive('tool.tar.gz', files),
        more: { sha256 },
        says: /^tool\.tar\.gz has sha256 [0-9a-f]{64}, not a{64}$/,
      },
      {
        name: 'a member that leaves the folder',
        src: (p) => hostile(p, 'h.tar', 's|^d/f|../f|'),
        says: /refused: \.\.\/f leaves the folder/,
      },
      {
        name: 'an absolute member',
        src: (p) => hostile(p, 'h.tar', 's|^d/f|/tmp/f|'),
        says: /refused: \/tmp\/f has an absolute path/,
      },
      {
        name: 'a link to an absolute path',
        src: (p) => p.archive('h.tar', { l: '-> /etc' }, ['-cf']),
        says: /refused: the link \.\/l leads to \/etc, out of the folder/,
      },
      {
        name: 'a link that leaves the folder',
        src: (p) => p.archive('h.tar', { 'a/l': '-> ../../etc' }, ['-cf']),
        says: /refused: the link \.\/a\/l leads to \.\.\/\.\.\/etc/,
      },
      {
        name: 'a link that leaves it once folders are left out',
        src: (p) => p.archive('h.tar', { 'a/l': '-> ../x', 'a/y': '' }, ['-cf']),
        more: { strip_components: 2 },
        says: /refused: the link \.\/a\/l leads to \.\.\/x/,
      },
      {
        name: 'a hard link that leaves it',
        src: (p) => hostile(p, 'h.tar', 'flags=h;s|^d/[fh]|../f|'),
        says: /refused: the hard link d\/[fh] leads to \.\.\/f/,
      },
      {
        name: 'an archive without files',
        src: (p) => p.archive('tool.tar.gz', files),
        more: { strip_components: 9 },
        says: /holds no files below 9 folders/,
      },
      {
        name: 'an include that matches nothing',
        src: (p) => p.archive('tool.tar.gz', files),
        more: { include: ['bin/tol'] },
        says: /matches the include "bin\/tol"; it holds .*bin\/toolctl/,
      },
      {
        name: 'a program that does not run',
        src: (p) => p.archive('tool.tar.gz', { tool: '#!/bin/sh\necho GLIBC_2.34 not found >&2; exit 1\n' }),
        more: { version: { command: 'tool --version', expect: 'v1' } },
        says: /the new program does not run on this host: "tool --version": exit status 1: GLIBC_2\.34 not found$/,
      },
      {
        name: 'another version',
        src: (p) => p.archive('tool.tar.gz', files),
        more: { version: { command: './bin/tool', expect: "v2.0 $(touch /tmp/x) '*" } },
        says: /another version: "\.\/bin\/tool" says "tool github\.com\/x v1\.0", in which "v2\.0 \$\(touch \/tmp\/x\) '\*" does not occur$/,
      },
      {
        name: 'a version command that is not in the archive',
        src: (p) => p.archive('tool.tar.gz', files),
        more: { version: { command: 'ls --version', expect: 'coreutils' } },
        says: /the archive holds no ls, which has to tell its version/,
      },
      {
        name: 'what is no archive',
        src: async (p) => {
          await writeFile(join(p.folder, 'x.tar'), 'hello');
          return 'x.tar';
        },
        says: /tar cannot read the archive/,
      },
    ];
    for (const { name, src, more, says } of cases) {
      it(name, () =>
        withPlace(async (place) => {
          const { folder, dest, install } = place;
          const made = await src(place);
          expect(await failureOf(install(made, more))).to.match(says);
          expect(await exists(dest), 'dest').to.equal(false);
          expect(await exists(join(folder, 'state')), 'state').to.equal(false);
        }),
      );
    }

    for (const [name, transform, says] of [
      ['a member that leaves the folder', 's|^d/f|../f|', /refused: \.\.\/f leaves the folder/],
      ['an absolute member', 's|^d/f|/tmp/f|', /refused: \/tmp\/f has an absolute path/],
      ['an absolute link', 'flags=s;s|^f|/etc/passwd|', /refused: the link d\/l leads to \/etc\/passwd/],
      ['a link that leaves the folder', 'flags=s;s|^f|../../x|', /refused: the link d\/l leads to \.\.\/\.\.\/x/],
    ] as const) {
      it(`${name}, found by the host`, () =>
        withPlace(async (place) => {
          const path = join(place.folder, hostile(place, 'h.tar', transform));
          const message = await failureOf(place.install(path, { via: 'target', sha256: await digestOf(path) }));
          expect(message).to.match(says);
          expect(await exists(place.dest)).to.equal(false);
        }));
    }

    it('a digest that differs on the host', () =>
      withPlace(async ({ archive, install, folder, dest }) => {
        const path = join(folder, await archive('tool.tar.gz', files));
        const message = await failureOf(install(path, { via: 'target', sha256 }));
        expect(message).to.equal(`${path} has sha256 ${await digestOf(path)}, not ${sha256}`);
        expect(await exists(dest)).to.equal(false);
      }));

    it('a folder where a file has to be, before anything is replaced', () =>
      withPlace(async ({ archive, install, dest }) => {
        await mkdir(join(dest, 'bin/toolctl'), { recursive: true });
        await writeFile(join(dest, 'bin/tool'), 'old');
        const message = await failureOf(install(await archive('tool.tar.gz', files)));
        expect(message).to.match(/bin\/toolctl is a folder on this host, and a file in the archive$/);
        expect(await readFile(join(dest, 'bin/tool'), 'utf8')).to.equal('old');
        expect(await everything(dest)).to.deep.equal(['bin', 'bin/tool', 'bin/toolctl']);
      }));
  });

  it('keeps the old version when the new one does not run', () =>
    withPlace(async ({ archive, install, check, dest }) => {
      const version = { command: './bin/tool', expect: 'v1.0' };
      const good = await archive('tool-1.0.tar.gz', release('v1.0'));
      await install(good, { version });
      const bad = await archive('tool-1.1.tar.gz', { 'bin/tool': '#!/bin/sh\nexit 127\n' });
      expect(await failureOf(install(bad, { version }))).to.match(/does not run on this host/);
      expect(await check(good, { version })).to.deep.equal([]);
      expect(await everything(dest)).to.not.include('.runbook-dest-tool');
    }));

  it('puts a file in place of a link to a folder, and keeps what the link led to', () =>
    withPlace(async ({ archive, install, dest, folder }) => {
      await mkdir(join(folder, 'elsewhere'));
      await mkdir(dest);
      await symlink(join(folder, 'elsewhere'), join(dest, 'tool'));
      await install(await archive('tool.tar.gz', { tool: 'x' }));
      expect((await lstat(join(dest, 'tool'))).isFile()).to.equal(true);
      expect(await readdir(join(folder, 'elsewhere'))).to.deep.equal([]);
    }));

  it('removes what a broken run left', () =>
    withPlace(async ({ archive, install, dest }) => {
      await mkdir(join(dest, '.runbook-tool/tree'), { recursive: true });
      await writeFile(join(dest, '.runbook-tool/archive'), 'half');
      await install(await archive('tool.tar.gz', { tool: 'x' }), { name: 'tool' });
      expect(await everything(dest)).to.deep.equal(['tool']);
    }));

  describe('lets the host fetch', () => {
    it('a URL, checked there', () =>
      withPlace(async ({ archive, install, check, folder, dest }) => {
        const src = await archive('tool-1.0.tar.gz', release('v1.0'));
        await withServer(folder, async (url) => {
          const more = { via: 'target', sha256: await digestOf(join(folder, src)) };
          await install(`${url}/${src}`, more);
          expect(await check(`${url}/${src}`, more)).to.deep.equal([]);
          expect(await readFile(join(dest, 'bin/tool'), 'utf8')).to.equal(program('v1.0'));
          const wrong = failureOf(install(`${url}/${src}`, { ...more, sha256: 'b'.repeat(64), name: 'x' }));
          expect(await wrong).to.match(/^http:.*tool-1\.0\.tar\.gz has sha256 [0-9a-f]{64}, not b{64}$/);
          const missing = failureOf(install(`${url}/none.tar.gz`, { ...more, name: 'y' }));
          expect(await missing).to.match(/^the host cannot fetch http:.*none\.tar\.gz: .*404/);
          expect((await everything(dest)).filter((path) => path.includes('.runbook'))).to.deep.equal([]);
        });
      }));
  });

  describe('lets the controller fetch', () => {
    /** A controller that has fetched nothing yet. */
    async function emptyController(folder: string): Promise<ReturnType<typeof controllerFor>> {
      const cache = await mkdtemp(join(folder, 'cache-'));
      const store = createFileStore(cache, () => ({ references: [], render: () => '' }), new AbortController().signal);
      return controllerFor(store, 'localhost', [folder], {});
    }

    it('nothing for a host that has the archive, and once where something is to be done', () =>
      withPlace(async ({ archive, args, folder, dest }) => {
        const src = await archive('tool-1.0.tar.gz', release('v1.0'));
        await withServer(folder, async (url, requests) => {
          const wanted = args(`${url}/${src}`, { sha256: await digestOf(join(folder, src)) });
          const install = async () => applyLocally(tarInstall, wanted, { controller: await emptyController(folder) });
          expect((await install()).changes).to.have.length(1);
          expect(requests).to.deep.equal([`/${src}`]);
          expect((await install()).changes).to.deep.equal([]);
          expect(requests).to.have.length(1);
          await rm(join(dest, 'bin/tool'));
          expect((await install()).changes).to.have.length(1);
          expect(requests).to.have.length(2);
          expect(await readFile(join(dest, 'bin/tool'), 'utf8')).to.equal(program('v1.0'));
        });
      }));

    it('a URL that is gone or another file: check mode fails as a run does, and the host is not touched', () =>
      withPlace(async ({ archive, args, folder, dest }) => {
        const src = await archive('tool-1.0.tar.gz', release('v1.0'));
        const actual = await digestOf(join(folder, src));
        await withServer(folder, async (url) => {
          for (const [name, says] of [
            [src, `${url}/${src} has sha256 ${actual}, not ${'b'.repeat(64)}`],
            ['none.tar.gz', `cannot fetch ${url}/none.tar.gz: HTTP 404 Not Found`],
          ] as const) {
            const wanted = args(`${url}/${name}`, { sha256: 'b'.repeat(64) });
            for (const work of [checkLocally, applyLocally]) {
              const controller = await emptyController(folder);
              expect(await failureOf(work(tarInstall, wanted, { controller }))).to.equal(says);
            }
          }
        });
        expect(await exists(dest)).to.equal(false);
      }));
  });

  describe('in check mode', () => {
    it('tells the archive, and remembers every file, so that later tasks know it', () =>
      withPlace(async ({ archive, install, check, implied }) => {
        await install(await archive('tool-1.0.tar.gz', release('v1.0')));
        const next = {
          'bin/tool': program('v1.1'),
          'bin/t': '-> toolctl',
          'lib/systemd/system/tool.service': '[Service]\n',
        };
        const src = await archive('tool-1.1.tar.gz', next);
        const changes = changesOf(await check(src));
        expect(changes).to.have.length(1);
        expect(changes[0]).to.match(/archive: tool-1\.0\.tar\.gz .* -> tool-1\.1\.tar\.gz/);
        const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
        // What it brings is put in place of what was there; the modes of its folders are not told.
        const file = { isNew: true, exists: true, type: 'file' };
        const folder = { exists: true, type: 'directory', mode: null };
        expect(await implied(src)).to.deep.equal({
          '/bin': folder,
          '/bin/t': { exists: true, type: 'link', target: 'toolctl' },
          '/bin/tool': { ...file, mode: '0755', sha256: sha256(program('v1.1')) },
          '/bin/toolctl': { exists: false },
          '/lib': folder,
          '/lib/systemd': folder,
          '/lib/systemd/system': folder,
          '/lib/systemd/system/tool.service': { ...file, mode: '0644', sha256: sha256('[Service]\n') },
          '/share/doc/README': { exists: false },
        });
      }));

    it('remembers the destination, which will be there', () =>
      withPlace(async ({ archive, implied }) => {
        const files = await implied(await archive('tool.tar.gz', { tool: 'x' }));
        expect(Object.keys(files).sort()).to.deep.equal(['', '/tool']);
        expect(files['']).to.deep.equal({ exists: true, type: 'directory' });
      }));

    it('remembers no files where only some were changed since: those are its changes', () =>
      withPlace(async ({ archive, install, implied, dest }) => {
        const src = await archive('tool.tar.gz', release('v1.0'));
        await install(src);
        await rm(join(dest, 'bin/tool'));
        expect(await implied(src)).to.deep.equal({});
      }));

    it('refuses what a run would refuse', () =>
      withPlace(async ({ archive, check }) => {
        const src = await archive('h.tar', { 'a/l': '-> ../../etc' }, ['-cf']);
        expect(await failureOf(check(src))).to.match(/refused: the link \.\/a\/l leads to/);
      }));

    it('changes nothing', () =>
      withPlace(async ({ archive, check, dest, folder }) => {
        expect(await check(await archive('tool.tar.gz', release('v1.0')))).to.not.have.length(0);
        expect(await exists(dest)).to.equal(false);
        expect(await exists(join(folder, 'state'))).to.equal(false);
      }));

    it('knows what the same task before it would have installed', () =>
      withPlace(async ({ archive, check }) => {
        const src = await archive('tool.tar.gz', release('v1.0'));
        const diff = await check(src, { name: 'tool' });
        const after = 'unknown' in diff ? '' : diff[0]?.after;
        expect(await check(src, { name: 'tool' }, { 'tar-install:tool': { archive: after } })).to.deep.equal([]);
      }));
  });

  it('judges arguments together', () => {
    const sha256 = 'c'.repeat(64);
    expect(mistakesOf(tarInstall, { src: 'https://x/y.tgz', dest: '/opt' })).to.deep.equal([
      '"sha256" is required for a URL',
    ]);
    expect(mistakesOf(tarInstall, { src: '/y.tgz', dest: '/opt', via: 'target' })).to.deep.equal([
      '"sha256" is required with via: target',
    ]);
    expect(mistakesOf(tarInstall, { src: 'y.tgz', dest: '/opt', via: 'target', sha256 })).to.have.length(1);
    expect(mistakesOf(tarInstall, { src: 'ftp://x/y.tgz', dest: '/opt' })).to.have.length(1);
    expect(mistakesOf(tarInstall, { src: 'y.tgz', dest: 'opt' })).to.have.length(1);
    expect(mistakesOf(tarInstall, { src: 'y.tgz', dest: '/opt', include: ['/bin'] })).to.have.length(1);
    expect(mistakesOf(tarInstall, { src: 'y.tgz', dest: '/opt', sha256: 'abc' })).to.have.length(1);
    expect(mistakesOf(tarInstall, { src: 'y.tgz', dest: '/opt', sha256: `sha256:${sha256}` })).to.deep.equal([]);
  });

  describe('with the tools of busybox', () => {
    const path = process.env.PATH;
    let folder = '';

    before(async function () {
      folder = execFileSync('mktemp', ['-d']).toString().trim();
      const busybox = execFileSync('sh', ['-c', 'command -v busybox || :']).toString().trim();
      if (busybox === '') this.skip();
      execFileSync(busybox, ['--install', '-s', folder]);
      process.env.PATH = folder;
    });
    after(async () => {
      process.env.PATH = path;
      await rm(folder, { recursive: true, force: true });
    });

    it('installs, asks, repairs and upgrades', () =>
      withPlace(async ({ archive, install, check, dest }) => {
        process.env.PATH = path;
        const src = await archive('tool-1.0.tar.gz', release('v1.0'));
        const next = await archive('tool-1.1.tar.gz', { 'bin/tool': program('v1.1') });
        process.env.PATH = folder;
        const version = { command: 'tool', expect: 'v1.' };
        await install(src, { version });
        expect(await check(src, { version })).to.deep.equal([]);
        await writeFile(join(dest, 'bin/tool'), 'changed');
        expect(changesOf(await check(src, { version }))[0]).to.match(/bin\/tool sha256/);
        await install(src, { version });
        await install(next, { version });
        expect(await everything(dest)).to.deep.equal(['bin', 'bin/tool']);
      }));

    it('refuses a link that leaves the folder', () =>
      withPlace(async (place) => {
        process.env.PATH = path;
        const src = join(place.folder, await place.archive('h.tar', { 'a/l': '-> ../../etc' }, ['-cf']));
        process.env.PATH = folder;
        const message = await failureOf(place.install(src, { via: 'target', sha256: await digestOf(src) }));
        expect(message).to.match(/refused: the link (\.\/)?a\/l leads to \.\.\/\.\.\/etc/);
        expect(await exists(place.dest)).to.equal(false);
      }));
  });
});

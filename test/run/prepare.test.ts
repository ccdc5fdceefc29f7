import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { type PlayRun, play } from '../support/play.ts';

/** `prepare` of a module, shown by tar-install with a URL: what the controller fetches, and when. */

/** A lease of the tests' own: a file that stays, to show that it was taken. */
const lease = `
import { defineLease, exec, probe, sh } from 'runbook';
export default defineLease({
  name: 'hold', summary: 'Makes a file',
  schema: { type: 'object', additionalProperties: false, required: ['path'], properties: { path: { type: 'string' } } },
  probe: ({ path }) => probe(sh\`test -e \${path}\`, ({ rc }) => rc === 0),
  diff: (isThere, { path }) => (isThere ? [] : [{ path, before: null, after: 'held' }]),
  grant: () => null,
  *acquire({ args }) { yield exec(sh\`echo held > \${args.path}\`); },
  *release() {},
});`;

interface Site {
  readonly folder: string;
  /** Paths that the server was asked for. */
  readonly requests: string[];
  /** Installs from `/NAME` of the server, under a lease, with a controller that has fetched nothing yet. */
  install(name: string, sha256: string, options?: Parameters<typeof play>[2]): Promise<PlayRun>;
}

/** A server with one archive, `/tool-1.0.tar.gz`, which holds `tool`. */
function withSite(body: (site: Site, sha256: string) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async (folder) => {
    await mkdir(join(folder, 'tree'));
    await writeFile(join(folder, 'tree/tool'), 'x');
    execFileSync('tar', ['-czf', join(folder, 'a.tgz'), '-C', join(folder, 'tree'), 'tool']);
    const archive = await readFile(join(folder, 'a.tgz'));
    const requests: string[] = [];
    const server = createServer((request, response) => {
      requests.push(request.url ?? '');
      if (request.url === '/tool-1.0.tar.gz') response.end(archive);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // A TCP server's address is no string.
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const cacheHome = process.env.XDG_CACHE_HOME;
    let runs = 0;
    const install: Site['install'] = (name, sha256, options) => {
      process.env.XDG_CACHE_HOME = join(folder, `cache-${runs++}`);
      const yaml = `- hosts: h1
  tasks:
    - name: work
      lease: { name: held, hold: { path: ${folder}/lease } }
      block:
        - name: install
          tar-install: { src: ${url}/${name}, sha256: ${sha256}, dest: ${folder}/opt/tool, state_dir: ${folder}/state }
        - name: configure
          copy: { dest: ${folder}/opt/tool/tool.conf, content: y }
        - name: use
          file: { path: ${folder}/opt/tool/tool, state: file }
`;
      return play(folder, { 'play.yaml': yaml, 'modules/hold.ts': lease }, options);
    };
    try {
      await body({ folder, requests, install }, createHash('sha256').update(archive).digest('hex'));
    } finally {
      if (cacheHome === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = cacheHome;
      server.close();
    }
  });
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

describe('what an effect needs of the controller', () => {
  it('is fetched once something is pending, and never for a converged host', () =>
    withSite(async ({ requests, install }, sha256) => {
      const first = await install('tool-1.0.tar.gz', sha256);
      expect(first.ends).to.include('h1: install: changed');
      expect(requests).to.deep.equal(['/tool-1.0.tar.gz']);
      for (const isCheckMode of [false, true]) {
        const again = await install('tool-1.0.tar.gz', sha256, { isCheckMode });
        expect(again.ends).to.deep.equal(['h1: install: ok', 'h1: configure: ok', 'h1: use: ok']);
      }
      expect(requests).to.have.length(1);
    }));

  it('is fetched by check mode too, which then knows what it brings and shows only the change', () =>
    withSite(async ({ folder, requests, install }, sha256) => {
      const check = await install('tool-1.0.tar.gz', sha256, { isCheckMode: true });
      expect(requests).to.deep.equal(['/tool-1.0.tar.gz']);
      expect(check.ends).to.deep.equal([
        'h1: held: changed',
        'h1: install: changed',
        'h1: configure: changed',
        'h1: use: ok',
      ]);
      expect(JSON.parse(check.said('install'))).to.have.length(1);
      expect(await isThere(join(folder, 'opt'))).to.equal(false);
    }));

  for (const isCheckMode of [false, true]) {
    it(`fails before a lease is taken and the host is touched${isCheckMode ? ', in check mode as in a run' : ''}`, () =>
      withSite(async ({ folder, install }, sha256) => {
        const other = 'b'.repeat(64);
        const gone = await install('gone.tar.gz', other, { isCheckMode });
        expect(gone.ends).to.deep.equal(['h1: install: failed']);
        expect(gone.summary[0]?.failure?.code).to.equal('download-failed');
        const differs = await install('tool-1.0.tar.gz', other, { isCheckMode });
        expect(differs.ends).to.deep.equal(['h1: install: failed']);
        expect(differs.summary[0]?.failure?.code).to.equal('digest-mismatch');
        expect(differs.said('install')).to.contain(sha256).and.contain(other);
        for (const path of ['opt', 'state', 'lease']) expect(await isThere(join(folder, path)), path).to.equal(false);
      }));
  }
});

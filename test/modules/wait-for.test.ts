import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { sh } from '../../engine/index.ts';
import { portProbe, socketProbe } from '../../modules/lib/answering.ts';
import waitFor from '../../modules/wait-for.ts';
import { runLocally, withTemporaryFolder } from '../support/module-rig.ts';
import { instantClock, runAction } from './actions.ts';
import { failureOf, mistakesOf } from './support.ts';

describe('wait-for', () => {
  it('takes exactly one subject, with a state that it can have', () => {
    const cases: [Record<string, unknown>, string][] = [
      [{}, 'exactly one of port, path, socket, command, unit is required, but none is given'],
      [{ port: 1, path: '/x' }, 'but there are port and path'],
      [{ port: 1, state: 'absent' }, '"state" of a port is started or stopped'],
      [{ path: '/x', state: 'stopped' }, '"state" of a path is present or absent'],
      [{ command: 'x', state: 'started' }, '"state" means nothing for a command'],
      [{ port: 1, http: '/' }, '"http" needs "socket"'],
      [{ socket: 'x' }, '"socket" must be an absolute path'],
      [{ port: 0 }, 'must be >= 1'],
    ];
    for (const [args, message] of cases) expect(mistakesOf(waitFor, args).join('\n')).to.contain(message);
  });

  it('waits for a path to appear and to be gone', () =>
    withTemporaryFolder(async (folder) => {
      const path = join(folder, "it's");
      const clock = instantClock();
      expect(await failureOf(runAction(waitFor, { path, timeout: 3 }, { clock }))).to.equal(
        `waited for ${path} to appear: it does not exist`,
      );
      expect(clock.slept).to.deep.equal([1000, 1000, 1000]);
      await symlink('nowhere', path);
      expect(await runAction(waitFor, { path })).to.deep.equal({ values: { elapsed: 0 } });
      expect(await failureOf(runAction(waitFor, { path, state: 'absent', timeout: 0 }))).to.contain(
        'it is still there',
      );
    }));

  it('asks once in check mode and does not guess', () =>
    withTemporaryFolder(async (folder) => {
      const clock = instantClock();
      const path = join(folder, 'x');
      expect(await runAction(waitFor, { path }, { isCheckMode: true, clock })).to.deep.equal({
        unknown: `would wait for ${path} to appear: it does not exist`,
      });
      expect(clock.slept).to.deep.equal([]);
      await writeFile(path, '');
      expect(await runAction(waitFor, { path }, { isCheckMode: true })).to.have.property('message');
    }));

  it('waits for a command and says what it said', async () => {
    await runAction(waitFor, { command: 'true' });
    expect(await failureOf(runAction(waitFor, { command: 'echo not yet; exit 3', timeout: 0 }))).to.contain(
      '"echo not yet; exit 3" to succeed: exit status 3: not yet',
    );
  });

  it('knows a port that answers from one that does not', async () => {
    const server = createServer();
    const port = await listen(server, { host: '127.0.0.1', port: 0 });
    await runAction(waitFor, { port });
    expect(await failureOf(runAction(waitFor, { port, state: 'stopped', timeout: 0 }))).to.contain('it still answers');
    await close(server);
    await runAction(waitFor, { port, state: 'stopped' });
    expect(await failureOf(runAction(waitFor, { port, timeout: 0 }))).to.contain('Connection refused');
  });

  it('does not accept a socket that nobody listens on any more', () =>
    withTemporaryFolder(async (folder) => {
      const path = join(folder, 's.sock');
      const server = createServer((socket) => socket.destroy());
      await listen(server, { path });
      await runAction(waitFor, { socket: path });
      // Node removes the file when it closes a server; a crash does not.
      await keepSecondName(path);
      await close(server);
      await runLocally(sh`mv ${`${path}.kept`} ${path}`);
      expect(await failureOf(runAction(waitFor, { socket: path, timeout: 0 }))).to.contain(
        'nobody accepts connections',
      );
      await rm(path);
      expect(await failureOf(runAction(waitFor, { socket: path, timeout: 0 }))).to.contain('it does not exist');
      await writeFile(path, '');
      expect(await failureOf(runAction(waitFor, { socket: path, timeout: 0 }))).to.contain('it is no socket');
    }));

  it('asks over HTTP for a status', () =>
    withTemporaryFolder(async (folder) => {
      const path = join(folder, 's.sock');
      const server = createHttpServer((request, response) => {
        response.statusCode = request.url === '/_ping' ? 200 : 503;
        response.end();
      });
      await listen(server, { path });
      await runAction(waitFor, { socket: path, http: '/_ping' });
      expect(await failureOf(runAction(waitFor, { socket: path, http: '/other', timeout: 0 }))).to.contain(
        'HTTP status 503',
      );
      server.closeAllConnections();
      await close(server);
    }));

  it('asks with whatever the host has, and says what it needs when there is nothing', () =>
    withTemporaryFolder(async (folder) => {
      const path = join(folder, 's.sock');
      const server = createServer((socket) => socket.destroy());
      await listen(server, { path });
      const tcp = createServer((socket) => socket.destroy());
      const port = await listen(tcp, { host: '127.0.0.1', port: 0 });
      for (const tools of [
        ['perl'],
        ['python3'],
        ['grep', 'cat', 'readlink'],
        ['bash', 'timeout', 'grep'],
        ['curl', 'tail', 'grep'],
      ]) {
        const bin = join(folder, tools.join('-'));
        await mkdir(bin);
        for (const tool of tools) await runLocally(sh`t=$(command -v ${tool}) && ln -s "$t" ${join(bin, tool)}`);
        const only = (probe: ReturnType<typeof socketProbe>) =>
          runLocally(sh`PATH=${bin}; ${probe.script}`).then((output) => probe.parse(output));
        if (tools.includes('perl') || tools.includes('readlink'))
          expect(await only(socketProbe(path)), tools.join()).to.equal(true);
        if (tools.includes('bash') || tools.includes('curl') || tools.includes('cat')) {
          expect(await only(portProbe('127.0.0.1', port)), tools.join()).to.equal(true);
          expect(await only(portProbe('127.0.0.1', 1)), tools.join()).to.be.a('string');
        }
      }
      const bare = portProbe('10.0.0.1', 1);
      const output = await runLocally(sh`PATH=/nowhere; ${bare.script}`);
      expect(() => bare.parse(output)).to.throw(
        'nothing on the host can ask: it needs one of bash with timeout, nc -z, curl',
      );
      await Promise.all([close(server), close(tcp)]);
    }));
});

describe('wait-for a unit', () => {
  const cases: [string, string, string | undefined, true | string][] = [
    ['active', 'LoadState=loaded\nActiveState=active\nSubState=running\n', undefined, true],
    [
      'restarting',
      'LoadState=loaded\nActiveState=activating\nSubState=auto-restart\n',
      undefined,
      'it is activating (auto-restart)',
    ],
    ['missing', 'LoadState=not-found\nActiveState=inactive\nSubState=dead\n', undefined, 'there is no such unit'],
    ['stopped as wanted', 'LoadState=loaded\nActiveState=inactive\nSubState=dead\n', 'stopped', true],
    ['stopping', 'LoadState=loaded\nActiveState=deactivating\nSubState=stop\n', 'stopped', 'it is still active'],
  ];
  for (const [name, stdout, state, wanted] of cases) {
    it(name, async () => {
      if (waitFor.kind !== 'action') throw new Error('no action');
      let answer: unknown;
      await waitFor.run({ unit: 'x.service', timeout: 1, interval: 1, host: '', state } as never, {
        host: 'h',
        isCheckMode: false,
        clock: instantClock(),
        signal: new AbortController().signal,
        sleep: async () => {},
        probe: () => Promise.reject(new Error('not asked')),
        wait: async (wait) => {
          const found = wait.probe.parse({ rc: 0, stdout, stderr: '' });
          answer = wait.done(found);
          return found;
        },
      });
      expect(answer).to.equal(wanted);
    });
  }
});

function listen(server: Server, options: { host?: string; port?: number; path?: string }): Promise<number> {
  return new Promise((resolve) => {
    server.listen(options, () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : 0);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

async function keepSecondName(path: string): Promise<void> {
  await runLocally(sh`ln ${path} ${`${path}.kept`}`);
}

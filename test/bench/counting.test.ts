import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { count, countWire } from '../../bench/counting/count.ts';
import { type Link, throughProxy } from '../../bench/counting/proxy.ts';
import { countProcesses } from '../../bench/counting/strace.ts';
import { leftoversOf, marker } from '../../bench/leftovers.ts';
import { childrenMs, measureInTurns, runOnce } from '../../bench/measure.ts';
import type { Target, Targets } from '../../bench/targets/targets.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';

const target: Target = { name: 'a', address: '127.0.0.1', port: 22, hostKey: 'ssh-ed25519 AAAA', root: '/' };

/** `>3` are three bytes to the host, `<3` from it; each a millisecond after the one before. */
function link(sourcePort: number, bursts: string): Link {
  const parsed = bursts.split(' ').map((burst, atMs) => ({
    atMs,
    isToHost: burst.startsWith('>'),
    bytes: Number(burst.slice(1)),
  }));
  return { target, sourcePort, bursts: parsed };
}

describe('what is counted in a benchmark', () => {
  it('is what went over the wire after the login, and a round trip is what the host answers', () => {
    const links = [link(1000, '>9 <9 >9 <1 >2 >3 <4 >5'), link(1001, '>7 <7 <7 >1 <1 >1 <1')];
    const logins = new Map([
      [1000, 2.5],
      [1001, 1.5],
    ]);
    expect(countWire(links, logins)).to.deep.equal({ logins: 2, roundTrips: 3, sentBytes: 12, receivedBytes: 14 });
  });

  it('leaves out connections on which nobody was logged in', () => {
    const none = { logins: 0, roundTrips: 0, sentBytes: 0, receivedBytes: 0 };
    expect(countWire([link(1000, '>9 <9')], new Map())).to.deep.equal(none);
  });

  it('is no count at all where a host was not seen to be logged in to', () =>
    withTemporaryFolder(async (folder) => {
      const nobody: Targets = {
        description: 'one',
        hosts: [target],
        keyFile: '',
        execute: async () => {},
        logins: async () => new Map(),
        serverPids: [],
      };
      const job = {
        command: { file: 'true', args: [], cwd: folder },
        shown: 'true',
        before: async () => {},
        after: async () => {},
      };
      const error: unknown = await count({ folder, signal: AbortSignal.any([]) }, nobody, async () => job).catch(
        (reason: unknown) => reason,
      );
      expect(String(error)).to.contain('of 1 hosts 0 were seen to be logged in to');
    }));

  it('goes through a proxy that changes nothing', async () => {
    await using server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const targets: Targets = {
      description: 'one',
      hosts: [{ ...target, port }],
      keyFile: '',
      execute: async () => {},
      logins: async () => new Map(),
      serverPids: [],
    };
    await using proxied = await throughProxy(targets, 1);
    const [behind] = proxied.targets.hosts;
    const sent = 'x'.repeat(300_000);
    const socket = connect(behind?.port ?? 0, behind?.address);
    socket.end(sent);
    let received = '';
    for await (const chunk of socket.setEncoding('utf8')) received += String(chunk);
    expect(received === sent).to.equal(true);
    expect(behind?.name).to.equal('a');
    const bytes = proxied.links[0]?.bursts.map((burst) => (burst.isToHost ? burst.bytes : 0)) ?? [];
    expect(bytes.reduce((sum, some) => sum + some, 0)).to.equal(sent.length);
  });

  const trace = [
    '12 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 13',
    '12 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0}, 88) = 14',
    '13 vfork( <unfinished ...>',
    '13 <... vfork resumed>) = 15',
    '13 fork() = -1 EAGAIN (Resource temporarily unavailable)',
    '12 clone(child_stack=NULL, flags=SIGCHLD) = ? ERESTARTNOINTR (To be restarted)',
    '15 +++ exited with 0 +++',
  ];
  it('are processes, and not threads, nor those that could not be started', () => {
    expect(countProcesses(trace.join('\n'))).to.equal(2);
  });
});

describe('what a measured program leaves running', () => {
  it('is ended, whoever its parent is by then, and nothing else is', async () => {
    const leftovers = await leftoversOf('one', '/nowhere');
    const left = spawn('sleep', ['600'], { detached: true, stdio: 'ignore', env: { ...process.env, [marker]: 'one' } });
    const other = spawn('sleep', ['600'], { stdio: 'ignore', env: { ...process.env, [marker]: 'two' } });
    await Promise.all([once(left, 'spawn'), once(other, 'spawn')]);
    const ended = once(left, 'exit');
    await leftovers.end();
    expect(await ended).to.deep.equal([null, 'SIGTERM']);
    expect([other.signalCode, other.exitCode]).to.deep.equal([null, null]);
    other.kill();
  });

  it('is known by its folder where it has lost its environment, unless it was there before', () =>
    withTemporaryFolder(async (folder) => {
      const start = async () => {
        const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore', cwd: folder, env: {} });
        await once(child, 'spawn');
        return child;
      };
      const before = await start();
      const leftovers = await leftoversOf('three', folder);
      const left = await start();
      const ended = once(left, 'exit');
      await leftovers.end();
      expect(await ended).to.deep.equal([null, 'SIGTERM']);
      expect([before.signalCode, before.exitCode]).to.deep.equal([null, null]);
      before.kill();
    }));
});

describe('the processor time of a program', () => {
  const spin = 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done';

  it('has that of children in it that end with their parent', () =>
    withTemporaryFolder(async (folder) => {
      const one = await runOnce({ file: 'sh', args: ['-c', spin], cwd: folder });
      const child = await runOnce({ file: 'sh', args: ['-c', `sh -c '${spin}'; exit 0`], cwd: folder });
      expect(one.cpuMs).to.be.greaterThan(20);
      expect(child.cpuMs).to.be.greaterThan(one.cpuMs / 3);
    }));

  it('is not measured of a program that fails', () =>
    withTemporaryFolder(async (folder) => {
      const failing = runOnce({ file: 'sh', args: ['-c', 'echo no >&2; exit 3'], cwd: folder });
      const error: unknown = await failing.catch((reason: unknown) => reason);
      expect(String(error)).to.match(/exit status 3\nno/);
    }));

  it('is not measured of a program that is given up: what it started ends with it', () =>
    withTemporaryFolder(async (folder) => {
      const pidFile = join(folder, 'pid');
      const endless = `sleep 1000 & echo $! >${pidFile}.new; mv ${pidFile}.new ${pidFile}; sleep 1000`;
      const stop = new AbortController();
      const running = runOnce({ file: 'sh', args: ['-c', endless], cwd: folder }, stop.signal);
      while (!existsSync(pidFile)) await new Promise((resolve) => setTimeout(resolve, 10));
      const pid = Number(readFileSync(pidFile, 'utf8'));
      // The link of a process that has ended leads nowhere, even where nobody waits for it.
      expect(existsSync(`/proc/${pid}/cwd`)).to.equal(true);
      stop.abort();
      const error: unknown = await running.catch((reason: unknown) => reason);
      expect(error).to.equal(stop.signal.reason);
      expect(existsSync(`/proc/${pid}/cwd`)).to.equal(false);
      const late: unknown = await runOnce({ file: 'true', args: [], cwd: folder }, stop.signal).catch(
        (reason: unknown) => reason,
      );
      expect(late).to.equal(stop.signal.reason);
    }));

  it('is read from what bash tells, in minutes and seconds', () => {
    expect(childrenMs('12\n0m0.001s 0m0.002s\n1m2.500s 0m0.250s\n')).to.equal(62_750);
  });

  it('is that of programs that ran in turns', () =>
    withTemporaryFolder(async (folder) => {
      const order: string[] = [];
      const program = (name: string, runs: number) => ({
        command: { file: 'true', args: [], cwd: folder },
        runs,
        before: async () => void order.push(name),
        afterLast: async () => void order.push(`${name} ends`),
      });
      const measured = await measureInTurns([program('a', 3), program('b', 1)]);
      expect(order).to.deep.equal(['a', 'b', 'b ends', 'a', 'a', 'a ends']);
      expect(measured.map(({ measurement }) => measurement.runs)).to.deep.equal([3, 1]);
    }));
});

import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../test/lab/run.ts';
import { freePort, generateKey, whyNoSshd } from '../../test/support/sshd.ts';
import type { Target, Targets } from './targets.ts';

/** Why there are no such targets here, or undefined when there are. */
export const whyNoLoopback = whyNoSshd;

/**
 * As many hosts as wanted on addresses of 127.0.0.0/8, all served by one OpenSSH server. They share a file system, so each
 * has a folder as its root.
 */
export async function startLoopback(count: number): Promise<Targets & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'runbook-bench-sshd-'));
  try {
    return await serve(folder, count);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function serve(folder: string, count: number): Promise<Targets & AsyncDisposable> {
  const keyFile = join(folder, 'id_ed25519');
  generateKey(keyFile);
  generateKey(join(folder, 'host_key'));
  const port = await freePort();
  const logins = new Map<number, number>();
  const server = await startServer(folder, port, logins);
  // Ctrl-C ends it before it is told.
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const hostKey = (await readFile(join(folder, 'host_key.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
  const hosts: Target[] = Array.from({ length: count }, (_, i) => {
    const name = `host-${String(i + 1).padStart(4, '0')}`;
    const address = `127.0.${1 + Math.floor(i / 250)}.${1 + (i % 250)}`;
    return { name, address, port, hostKey, root: join(folder, 'hosts', name) };
  });
  return {
    description: `${count} sshd targets on loopback`,
    hosts,
    keyFile,
    serverPids: server.pid === undefined ? [] : [server.pid],
    logins: async () => logins,
    async execute(script) {
      const each = hosts.map(({ name, root }) => `(set -- ${name} ${root}; on_host "$@") </dev/null`);
      await run('sh', [], { input: `on_host() {\n${script}\n}\nset -e\n${each.join('\n')}\n`, timeoutMs: 120_000 });
    },
    async [Symbol.asyncDispose]() {
      server.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Where runbook keeps its lock on a host, by the address that was connected to: one host for all others would be held by
 * whoever came first. Root's shell is bash, which reads this for every command.
 */
const ownHostFolder = `rb_to=\${SSH_CONNECTION% *}
export RUNBOOK_HOST_FOLDER=$HOME/of-\${rb_to##* }
unset rb_to
`;

async function startServer(folder: string, port: number, logins: Map<number, number>): Promise<ChildProcess> {
  const config = join(folder, 'sshd_config');
  const lines = [
    `Port ${port}`,
    'ListenAddress 0.0.0.0',
    `HostKey ${join(folder, 'host_key')}`,
    `AuthorizedKeysFile ${join(folder, 'id_ed25519.pub')}`,
    `PidFile ${join(folder, 'pid')}`,
    'UsePAM no',
    'UseDNS no',
    'StrictModes no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'MaxStartups 1000:30:2000',
    'MaxSessions 100',
    'Subsystem sftp internal-sftp',
    // HOME away from the developer's, whose .bashrc bash would source for every session.
    `SetEnv HOME=${join(folder, 'home')} PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    // Says when somebody is logged in.
    'LogLevel INFO',
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  await chmod(config, 0o600);
  await mkdir(join(folder, 'home'));
  await writeFile(join(folder, 'home/.bashrc'), ownHostFolder);
  await mkdir('/run/sshd', { recursive: true });
  const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  server.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (log + text).split('\n');
    log = lines.pop() ?? '';
    for (const line of lines) {
      const from = /^Accepted publickey for \S+ from \S+ port (\d+) /.exec(line)?.[1];
      if (from !== undefined) logins.set(Number(from), Date.now());
    }
  });
  try {
    await listening(server, port);
  } catch (error) {
    server.kill();
    throw error;
  }
  return server;
}

async function listening(server: ChildProcess, port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (server.exitCode !== null || server.signalCode !== null) break;
    if (!(await isFree(port))) return;
    await sleep(25);
  }
  throw new Error('sshd does not listen');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

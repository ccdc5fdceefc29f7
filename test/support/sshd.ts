import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** A real OpenSSH server on the loopback, with keys and files of its own. */
export interface Sshd extends AsyncDisposable {
  readonly port: number;
  /** Home of the controller: its `.ssh` holds the key that is let in and a known_hosts that knows the server. */
  readonly home: string;
  readonly keyFile: string;
  /** Host key as a known_hosts line would have it, without the name: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  readonly user: string;
}

/** One that can be killed. */
export interface MortalSshd extends Sshd {
  /** Kills the server and all its sessions: links break, and nobody listens. What sessions had started goes on. */
  kill(): void;
  /** Starts it again after {@link kill}, with the same port and key. */
  revive(): Promise<void>;
}

/** Why no real sshd can be started here, or undefined when it can. */
export function whyNoSshd(): string | undefined {
  if (findSshd() === undefined) return 'no sshd here (apt-get install openssh-server)';
  if (process.getuid?.() !== 0) return 'sshd needs root to log in a user';
  return undefined;
}

/**
 * Starts a server; `config` is added to its configuration, `path` comes first in the PATH of its sessions, and `env` is
 * their environment.
 */
export async function startSshd(
  options: { config?: readonly string[]; path?: string | undefined; env?: Readonly<Record<string, string>> } = {},
): Promise<MortalSshd> {
  const folder = mkdtempSync(join(tmpdir(), 'runbook-sshd-'));
  const home = join(folder, 'home');
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  mkdirSync('/run/sshd', { recursive: true });
  const keyFile = join(home, '.ssh', 'id_ed25519');
  generateKey(keyFile);
  generateKey(join(folder, 'host_key'));
  writeFileSync(join(folder, 'authorized_keys'), readFileSync(`${keyFile}.pub`));
  const port = await freePort();
  const hostKey = readFileSync(join(folder, 'host_key.pub'), 'utf8').trim().split(' ').slice(0, 2).join(' ');
  writeFileSync(join(home, '.ssh', 'known_hosts'), `[127.0.0.1]:${port} ${hostKey}\n`);
  const config = join(folder, 'sshd_config');
  // HOME away from the developer's, whose .bashrc bash sources for every session.
  const path = `${options.path === undefined ? '' : `${options.path}:`}/usr/sbin:/usr/bin:/sbin:/bin`;
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(folder, 'host_key')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    `PidFile ${join(folder, 'pid')}`,
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'MaxStartups 200',
    `SetEnv ${Object.entries({ HOME: home, PATH: path, ...options.env })
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
    ...(options.config ?? []),
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const start = async (): Promise<ChildProcess> => {
    const started = spawn(findSshd() ?? 'sshd', ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    await listening(started, port);
    return started;
  };
  let child = await start();
  return {
    port,
    home,
    keyFile,
    hostKey,
    user: userInfo().username,
    kill: () => killServer(child.pid),
    async revive() {
      child = await start();
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server as a host of an inventory. */
export function inventoryLine(name: string, { port, user, keyFile }: Pick<Sshd, 'port' | 'user' | 'keyFile'>): string {
  const key = `ansible_ssh_private_key_file=${keyFile}`;
  return `${name} ansible_host=127.0.0.1 ansible_port=${port} ansible_user=${user} ${key}`;
}

/** A key pair in OpenSSH's format; the passphrase may be empty. */
export function generateKey(path: string, passphrase = '', type = 'ed25519'): void {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', path]);
}

/** A fingerprint the way OpenSSH prints it, computed here on its own. */
export function sha256Fingerprint(base64: string): string {
  return `SHA256:${createHash('sha256').update(Buffer.from(base64, 'base64')).digest('base64').replace(/=+$/, '')}`;
}

/** A port of the loopback that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Of the tree of processes only those of the server: from the sessions up, so that none is left. */
function killServer(pid: number | undefined): void {
  if (pid === undefined || !readProcess(pid, 'comm').startsWith('sshd')) return;
  for (const child of readProcess(pid, `task/${pid}/children`).split(' ').filter(Boolean)) killServer(Number(child));
  process.kill(pid, 'SIGKILL');
}

function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function findSshd(): string | undefined {
  return ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find((path) => existsSync(path));
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4000);
  });
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`sshd ended: ${log}`);
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`sshd does not listen: ${log}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

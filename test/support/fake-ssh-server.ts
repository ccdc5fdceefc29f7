import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type Algorithms, type AuthContext, type Connection, type ServerChannel } from 'ssh2';
import { generateKey, type Sshd } from './sshd.ts';

/** How a stand-in for a host behaves; what is not given is friendly. */
export interface FakeBehaviour {
  /** Judges a login attempt. Default: everybody is let in. */
  readonly onAuth?: (context: AuthContext) => void;
  /** Gets every command's channel. Default: a command ends at once with status 0. */
  readonly onExec?: (
    channel: ServerChannel,
    command: string,
    connection: Connection,
    socket: Socket | undefined,
  ) => void;
  /** Refuses this many requests for a session before it takes one. */
  readonly refusedSessions?: number;
  readonly algorithms?: Algorithms;
}

/** A host of ssh2's own server in this process: for faults that a real one cannot be brought to show. */
export interface FakeServer extends Sshd {
  /** Logins seen so far. */
  readonly attempts: readonly string[];
  /** Sessions that were asked for so far. */
  readonly sessions: () => number;
  /** Connections that were not let in yet, when there were the most of them. */
  readonly mostAtTheDoor: () => number;
}

/** Starts a fake host on the loopback. */
export async function startFakeServer(behaviour: FakeBehaviour = {}): Promise<FakeServer> {
  const folder = mkdtempSync(join(tmpdir(), 'runbook-fake-'));
  const home = join(folder, 'home');
  mkdirSync(join(home, '.ssh'), { recursive: true });
  const keyFile = join(home, '.ssh', 'id_ed25519');
  generateKey(keyFile);
  generateKey(join(folder, 'host_key'));
  const attempts: string[] = [];
  const sockets = new Set<Socket>();
  const atTheDoor = new Set<Connection>();
  let mostAtTheDoor = 0;
  let sessions = 0;
  let refusals = behaviour.refusedSessions ?? 0;

  const server = new ssh2.Server(
    {
      hostKeys: [readFileSync(join(folder, 'host_key'))],
      ...(behaviour.algorithms && { algorithms: behaviour.algorithms }),
    },
    (connection) => {
      atTheDoor.add(connection);
      mostAtTheDoor = Math.max(mostAtTheDoor, atTheDoor.size);
      const hasLeft = (): unknown => atTheDoor.delete(connection);
      connection.on('ready', hasLeft).on('close', hasLeft);
      connection.on('error', () => {});
      connection.on('authentication', (context) => {
        attempts.push(context.method);
        if (behaviour.onAuth) behaviour.onAuth(context);
        else context.accept();
      });
      connection.on('session', (accept, reject) => {
        sessions++;
        if (refusals-- > 0) return reject();
        accept().on('exec', (acceptExec, _rejectExec, info) => {
          const channel = acceptExec();
          channel.on('error', () => {});
          if (behaviour.onExec) behaviour.onExec(channel, info.command, connection, [...sockets].at(-1));
          else channel.exit(0), channel.end();
        });
      });
    },
  );
  // ssh2 hides the TCP socket, which is what has to vanish for a lost link.
  const { _srv: tcp } = server as unknown as { _srv: import('node:net').Server };
  tcp.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const hostKey = readFileSync(join(folder, 'host_key.pub'), 'utf8').trim().split(' ').slice(0, 2).join(' ');
  writeFileSync(join(home, '.ssh', 'known_hosts'), `[127.0.0.1]:${port} ${hostKey}\n`);
  return {
    port,
    home,
    keyFile,
    hostKey,
    user: 'ops',
    attempts,
    sessions: () => sessions,
    mostAtTheDoor: () => mostAtTheDoor,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Pipes a fake host's command to a real shell of this machine, so that everything above the link is real. */
export function runForReal(
  channel: ServerChannel,
  command: string,
  spawn: typeof import('node:child_process').spawn,
): void {
  const child = spawn('/bin/sh', ['-c', command], { detached: true });
  channel.pipe(child.stdin);
  child.stdin.on('error', () => {});
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on('close', (code, signal) => {
    if (signal) channel.exit(signal.replace('SIG', ''));
    else channel.exit(code ?? 0);
    channel.end();
  });
}

/** True when a program is on this machine. */
export function hasProgram(name: string): boolean {
  try {
    execFileSync('which', [name], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

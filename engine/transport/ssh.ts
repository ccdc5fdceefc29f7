import { userInfo } from 'node:os';
import type { Duplex } from 'node:stream';
import pLimit from 'p-limit';
import type { Clock } from '../base/clock.ts';
import { RunbookError } from '../base/errors.ts';
import { createConnection } from './connection.ts';
import type { FileReader } from './file-reader.ts';
import { createHostKeyVerifier, type HostKeyChecking } from './host-key.ts';
import { createLoginMemory } from './login-memory.ts';
import { type Credentials, createKeyRing, planAuth, type Ssh2 } from './ssh-auth.ts';
import { type Bastions, createBastions } from './ssh-bastions.ts';
import { openChannel } from './ssh-channel.ts';
import { login, type SshClient } from './ssh-client.ts';
import { createSshConfig, type HostRequest, type ResolvedHost } from './ssh-config.ts';
import { type ConnectPhase, loginHint } from './ssh-errors.ts';
import type { OnConnectWait, Target, Transport } from './transport.ts';

/** What the SSH transport is made of. */
export interface SshTransportOptions {
  /** Over what ssh_config says; undefined leaves it to ssh_config, where strict is the default. */
  readonly hostKeyChecking: HostKeyChecking | undefined;
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly configFiles: readonly string[];
  readonly warn: (message: string) => void;
  readonly clock: Clock;
  readonly readFile: FileReader;
}

/** Handshakes at a time, whatever the number of tasks: more of them only run into each other's timeouts. */
const connectsAtOnce = 32;

/** Makes a transport over ssh2 whose connections share key files, known_hosts, configuration and bastions. */
export async function createSshTransport(options: SshTransportOptions): Promise<Transport> {
  const { default: ssh } = await import('ssh2');
  const shared = createShared(ssh, options);

  return {
    async connect(target, signal, onWait = () => {}) {
      const host = shared.config.resolve(requestOf(target));
      host.warnings.forEach(shared.warnOnce);
      const description = `${host.user}@${target.address}:${host.port}`;
      if (host.proxyJump.length > 0) onWait({ text: `connecting to ${description} (its bastion)` });
      const route = await shared.bastions.reach(host, signal);
      let client: SshClient;
      try {
        client = await shared.logIn(host, description, route.sock, credentialsOf(target), signal, onWait);
      } catch (error) {
        await route.release();
        throw error;
      }
      return createConnection({
        description,
        user: host.user,
        open: (command) => openChannel(client, command, description, options.clock),
        path: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:"$PATH"',
        clock: options.clock,
        readFile: options.readFile,
        end: async () => {
          await client.end();
          await route.release();
        },
      });
    },
  };
}

function createShared(
  ssh: Ssh2,
  options: SshTransportOptions,
): {
  readonly config: ReturnType<typeof createSshConfig>;
  readonly bastions: Bastions;
  readonly logIn: LogIn;
  readonly warnOnce: (message: string) => void;
} {
  const config = createSshConfig({ ...options, localUser: userInfo().username });
  const parts = { ssh, keys: createKeyRing(ssh), memory: createLoginMemory() };
  const verifier = createHostKeyVerifier(options.warn);
  const gate = pLimit(connectsAtOnce);

  const logIn: LogIn = async (host, description, sock, credentials, signal, onWait) => {
    const auth = planAuth(host, credentials, parts);
    if (!auth.hasMethods) {
      const notes = auth.notes.length === 0 ? 'there is no key file, no agent and no password' : auth.notes.join('; ');
      throw new RunbookError('unreachable', `cannot log in to ${description}: ${notes}`, { hint: loginHint });
    }
    const question = {
      name: host.hostKeyName,
      host: host.hostname,
      port: host.port,
      target: description,
      checking: host.hostKeyChecking,
      userFiles: host.userKnownHostsFiles,
      globalFiles: host.globalKnownHostsFiles,
    };
    const text = `connecting to ${description}`;
    onWait({ text: `${text} (waiting for its turn: ${connectsAtOnce} at a time)` });
    return gate(() => {
      const deadlineMs = options.clock.now() + host.connectTimeoutMs;
      const onPhase = (phase: ConnectPhase): void => onWait({ text: `${text} (${phaseNames[phase]})`, deadlineMs });
      return login(ssh, { host, description, auth, question, verifier, sock, signal, onPhase });
    });
  };

  const bastions = createBastions({
    resolve: (address) => config.resolve(jumpRequest(address)),
    logIn: (host, description, sock, signal) =>
      logIn(host, description, sock, { password: undefined, passphrase: undefined }, signal, () => {}),
  });
  const warned = new Set<string>();
  const warnOnce = (message: string): void => {
    if (!warned.has(message)) options.warn(message);
    warned.add(message);
  };
  return { config, bastions, logIn, warnOnce };
}

type LogIn = (
  host: ResolvedHost,
  description: string,
  sock: Duplex | undefined,
  credentials: Credentials,
  signal: AbortSignal | undefined,
  onWait: OnConnectWait,
) => Promise<SshClient>;

const phaseNames: Readonly<Record<ConnectPhase, string>> = {
  connect: 'no answer yet',
  handshake: 'SSH handshake',
  authentication: 'authentication',
};

function requestOf(target: Target): HostRequest {
  return {
    address: target.address,
    port: target.port,
    user: target.user,
    privateKeyFile: target.privateKeyFile,
    sshOptions: target.sshOptions,
    connectTimeoutMs: target.connectTimeoutMs,
  };
}

function credentialsOf(target: Target): Credentials {
  return { password: target.password, passphrase: target.privateKeyPassphrase };
}

/** `[user@]host[:port]`, also as `ssh://`, with IPv6 addresses in brackets. */
function jumpRequest(text: string): HostRequest {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?\/?$/.exec(text.trim());
  const address = match?.[2] ?? match?.[3];
  if (!match || address === undefined)
    throw new RunbookError('invalid-input', `ProxyJump: "${text}" is not of the form [user@]host[:port]`);
  return { address, user: match[1], port: match[4] === undefined ? undefined : Number(match[4]) };
}

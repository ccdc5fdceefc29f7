import type { Duplex } from 'node:stream';
import type { Client, ConnectConfig } from 'ssh2';
import { RunbookError } from '../base/errors.ts';
import type { HostKeyQuestion, HostKeyVerifier } from './host-key.ts';
import type { AuthPlan, Ssh2 } from './ssh-auth.ts';
import type { ResolvedHost } from './ssh-config.ts';
import { type ConnectPhase, connectError } from './ssh-errors.ts';
import { shortenLogin } from './ssh-shortcuts.ts';

/** One login, ready to be tried. */
export interface LoginRequest {
  readonly host: ResolvedHost;
  readonly description: string;
  readonly auth: AuthPlan;
  readonly question: HostKeyQuestion;
  readonly verifier: HostKeyVerifier;
  /** The tunnel, when it goes over a bastion. */
  readonly sock: Duplex | undefined;
  readonly signal: AbortSignal | undefined;
  /** Told of every phase when it begins. */
  readonly onPhase: (phase: ConnectPhase) => void;
}

/** A live SSH connection. */
export interface SshClient {
  readonly client: Client;
  /** Why the link was lost, once it was. */
  lostReason(): string;
  end(): Promise<void>;
}

/** Logs in. Rejects with `unreachable` or `host-key` within the host's connect timeout. */
export function login(ssh: Ssh2, request: LoginRequest): Promise<SshClient> {
  const { host, auth, signal } = request;
  return new Promise((resolve, reject) => {
    const client = new ssh.Client();
    let phase: ConnectPhase = 'connect';
    let keyRefusal: RunbookError | undefined;
    let lost = 'the connection was closed';
    let isSettled = false;
    const offers = new Map<string, string>();

    function fail(error: RunbookError): void {
      if (isSettled) return;
      isSettled = true;
      settleUp();
      client.destroy();
      reject(error);
    }
    function onAbort(): void {
      const reason: unknown = signal?.reason;
      fail(
        reason instanceof RunbookError
          ? reason
          : new RunbookError('interrupted', `interrupted while connecting to ${request.description}`),
      );
    }
    function enter(next: ConnectPhase): void {
      phase = next;
      request.onPhase(next);
    }
    function settleUp(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
    const timer = setTimeout(
      () => fail(connectError({ kind: 'timeout', phase }, request, offers)),
      host.connectTimeoutMs,
    );
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });

    client
      .on('connect', () => enter('handshake'))
      .on('handshake', () => enter('authentication'))
      .on('error', (error) => {
        lost = error.message;
        fail(keyRefusal ?? connectError({ kind: 'error', error, phase }, request, offers));
      })
      .on('close', () => fail(keyRefusal ?? connectError({ kind: 'closed', phase }, request, offers)))
      .on('ready', () => {
        if (isSettled) return;
        isSettled = true;
        settleUp();
        auth.worked();
        resolve({ client, lostReason: () => lost, end: () => endClient(client) });
      });

    try {
      enter('connect');
      client.connect({
        ...connectConfig(request),
        authHandler: auth.handler,
        hostVerifier: (key: Buffer) => {
          keyRefusal = request.verifier.verify(request.question, key);
          return keyRefusal === undefined;
        },
        // The only place where ssh2 tells what a server offers that does not suit us.
        debug: (line) => {
          const offer = isSettled ? null : /^Handshake: \(remote\) ([^:]+): (.*)$/.exec(line);
          if (offer?.[1] && offer[2] !== undefined) offers.set(offer[1], offer[2]);
        },
      });
      // ssh2 leaves Nagle's algorithm on: 40 ms for every command.
      client.setNoDelay(true);
      shortenLogin(client, auth.signerOf);
    } catch (error) {
      fail(connectError({ kind: 'error', error: error as Error, phase }, request, offers));
    }
  });
}

function connectConfig(request: LoginRequest): ConnectConfig {
  const { host, sock } = request;
  return {
    host: host.hostname,
    port: host.port,
    username: host.user,
    // The timer above says more.
    readyTimeout: 0,
    keepaliveInterval: host.keepaliveMs,
    keepaliveCountMax: host.keepaliveCount,
    ...(sock && { sock }),
    ...(host.family === 4 && { forceIPv4: true }),
    ...(host.family === 6 && { forceIPv6: true }),
    ...(host.bindAddress !== undefined && { localAddress: host.bindAddress }),
    algorithms: {
      // No group exchange: Node tests the server's prime on the event loop for a second and more. No slow ones either.
      kex: [
        'curve25519-sha256',
        'curve25519-sha256@libssh.org',
        'ecdh-sha2-nistp256',
        'diffie-hellman-group14-sha256',
        'diffie-hellman-group16-sha512',
      ],
      cipher: [
        'aes128-gcm@openssh.com',
        'aes256-gcm@openssh.com',
        'chacha20-poly1305@openssh.com',
        'aes128-ctr',
        'aes192-ctr',
        'aes256-ctr',
      ],
      serverHostKey: hostKeyAlgorithms(request.verifier.typesOf(request.question)),
      // zlib runs on the event loop.
      compress: ['none'],
    },
  };
}

type HostKeyAlgorithm =
  | 'ssh-ed25519'
  | 'ecdsa-sha2-nistp256'
  | 'ecdsa-sha2-nistp384'
  | 'ecdsa-sha2-nistp521'
  | 'rsa-sha2-512'
  | 'rsa-sha2-256';

/** Known types first, as OpenSSH does: a host known by its RSA key would otherwise show another one. */
function hostKeyAlgorithms(knownTypes: readonly string[]): HostKeyAlgorithm[] {
  const all: HostKeyAlgorithm[] = [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ];
  const isKnown = (name: HostKeyAlgorithm): boolean => knownTypes.includes(name.startsWith('rsa-') ? 'ssh-rsa' : name);
  return [...all.filter(isKnown), ...all.filter((name) => !isKnown(name))];
}

function endClient(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      client.destroy();
      resolve();
    }, 1000);
    client.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    client.end();
  });
}

import { formatDuration } from '../base/clock.ts';
import { RunbookError } from '../base/errors.ts';
import type { LoginRequest } from './ssh-client.ts';

/** How far a connect came. */
export type ConnectPhase = 'connect' | 'handshake' | 'authentication';

/** Why a connect failed, as ssh2 tells it. */
export type ConnectTrouble =
  | { readonly kind: 'timeout'; readonly phase: ConnectPhase }
  | { readonly kind: 'closed'; readonly phase: ConnectPhase }
  | { readonly kind: 'error'; readonly error: Error; readonly phase: ConnectPhase };

/** Turns it into a RunbookError `unreachable` that says what happened at which stage, and what to look at. */
export function connectError(
  trouble: ConnectTrouble,
  request: LoginRequest,
  offers: ReadonlyMap<string, string>,
): RunbookError {
  const { message, hint } = explain(trouble, request, offers);
  const cause = trouble.kind === 'error' ? trouble.error : undefined;
  return new RunbookError('unreachable', `cannot reach ${request.description}: ${message}`, { hint, cause });
}

interface Explanation {
  readonly message: string;
  readonly hint?: string | undefined;
}

function explain(trouble: ConnectTrouble, request: LoginRequest, offers: ReadonlyMap<string, string>): Explanation {
  const { host } = request;
  if (trouble.kind === 'timeout') {
    const after = `within ${formatDuration(host.connectTimeoutMs)}`;
    return {
      connect: {
        message: `no answer from ${host.hostname}:${host.port} ${after}`,
        hint: 'check address, routing and firewall',
      },
      handshake: {
        message: `${host.hostname}:${host.port} accepted the connection but did not finish the SSH handshake ${after}`,
        hint: 'is it an SSH server? It may be overloaded, or MaxStartups drops connections',
      },
      authentication: {
        message: `the login did not end ${after} (tried: ${request.auth.tried().join(', ')})`,
        hint: 'an agent that waits for a touch, or a slow PAM or DNS on the host, does that',
      },
    }[trouble.phase];
  }
  if (trouble.kind === 'closed') {
    if (trouble.phase === 'authentication')
      return authenticationFailed(request, 'the host closed the connection during the login');
    return {
      message: 'the connection was closed during the SSH handshake',
      hint: 'look at MaxStartups, TCP wrappers and the log of sshd on the host',
    };
  }
  const { error, phase } = trouble;
  const level = 'level' in error ? error.level : undefined;
  const code = 'code' in error ? String(error.code) : '';
  if (level === 'client-authentication') return authenticationFailed(request, 'the login was refused');
  if (level === 'agent')
    return { message: `the SSH agent failed: ${error.message}`, hint: 'check SSH_AUTH_SOCK and `ssh-add -l`' };
  if (level === 'client-socket' || code.startsWith('E')) return socketTrouble(code, error, request);
  if (/no matching/.test(error.message)) return noCommonAlgorithm(error.message, offers);
  if (/before handshake/.test(error.message)) {
    return {
      message: 'the connection was closed before the SSH handshake',
      hint: 'is it an SSH server? Look at MaxStartups and TCP wrappers on the host',
    };
  }
  if (phase === 'authentication') return authenticationFailed(request, error.message);
  return { message: error.message };
}

function socketTrouble(code: string, error: Error, { host }: LoginRequest): Explanation {
  const place = `${host.hostname}:${host.port}`;
  switch (code) {
    case 'ECONNREFUSED':
      return { message: `${place} refused the connection`, hint: 'is sshd running there, and is this its port?' };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        message:
          code === 'ENOTFOUND'
            ? `the name ${host.hostname} does not exist`
            : `the name ${host.hostname} cannot be resolved just now (DNS)`,
        hint: 'set ansible_host to an address, or add a Host entry to ~/.ssh/config',
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return { message: `there is no route to ${place}`, hint: 'check address, VPN and routing' };
    case 'EMFILE':
      return {
        message: 'this process may not have more files open, and each connection is one',
        hint: 'allow more before it is started: ulimit -n',
      };
    case 'ETIMEDOUT':
      return { message: `no answer from ${place}`, hint: 'check address, routing and firewall' };
    case 'ECONNRESET':
    case 'EPIPE':
      return {
        message: `${place} dropped the connection`,
        hint: 'look at MaxStartups, fail2ban and the log of sshd on the host',
      };
    default:
      return { message: error.message };
  }
}

function authenticationFailed(request: LoginRequest, what: string): Explanation {
  const tried = request.auth.tried();
  const attempts = tried.length === 0 ? 'nothing could be tried' : `tried: ${tried.join(', ')}`;
  const notes = request.auth.notes.map((note) => `; ${note}`).join('');
  return {
    message: `${what} for user ${request.host.user} (${attempts}${notes})`,
    hint: loginHint,
  };
}

/** What to do when no way in works. */
export const loginHint =
  'check ansible_user and ansible_ssh_private_key_file, add the key to the agent (ssh-add), or give a password (ansible_password)';

/** ssh2's name for a list, by what its error calls it. */
const offerNames: readonly (readonly [RegExp, string])[] = [
  [/key exchange/, 'KEX method'],
  [/host key/, 'Host key format'],
  [/C->S cipher/, 'C->S cipher'],
  [/S->C cipher/, 'S->C cipher'],
  [/C->S MAC/, 'C->S MAC'],
  [/S->C MAC/, 'S->C MAC'],
];

function noCommonAlgorithm(message: string, offers: ReadonlyMap<string, string>): Explanation {
  const name = offerNames.find(([pattern]) => pattern.test(message))?.[1];
  const offered =
    name === undefined ? undefined : (offers.get(name) ?? offers.get('KEX algorithms') ?? offers.get(`${name}s`));
  return {
    message: `${message.replace('Handshake failed: ', '')}${offered === undefined ? '' : `; the host offers only ${offered}`}`,
    hint: 'these are not accepted because they are weak, or (group exchange) stop every other connection while they are computed; update the host, or enable curve25519-sha256 and ssh-ed25519 there',
  };
}

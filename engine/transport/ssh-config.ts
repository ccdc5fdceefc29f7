import { join } from 'node:path';
import SSHConfig from 'ssh-config';
import { RunbookError } from '../base/errors.ts';
import type { HostKeyChecking } from './host-key.ts';
import { hostKeyName } from './known-hosts.ts';
import { readConfigFile } from './ssh-config-files.ts';
import { configFileOption, type SshOptions } from './ssh-options.ts';

/** Everything about one SSH login, decided: files are absolute, tokens expanded. */
export interface ResolvedHost {
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  /** Key files in the order in which they are tried. */
  readonly identityFiles: readonly string[];
  /** False when these are only the usual places, of which most do not exist. */
  readonly hasOwnIdentities: boolean;
  readonly identitiesOnly: boolean;
  /** Path of the agent's socket; undefined when there is none. */
  readonly agent: string | undefined;
  /** Bastions in order, each `[user@]host[:port]`; the last one reaches the host. */
  readonly proxyJump: readonly string[];
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly hostKeyChecking: HostKeyChecking;
  /** Name under which the key is known; an alias stands there without the port. */
  readonly hostKeyName: string;
  readonly connectTimeoutMs: number;
  readonly keepaliveMs: number;
  readonly keepaliveCount: number;
  readonly family: 4 | 6 | undefined;
  readonly bindAddress: string | undefined;
  readonly warnings: readonly string[];
}

/** What a login is asked for with, over what the files say. */
export interface HostRequest {
  readonly address: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly privateKeyFile?: string | undefined;
  readonly sshOptions?: SshOptions | undefined;
  readonly connectTimeoutMs?: number | undefined;
}

/** The surroundings, injectable. */
export interface SshConfigOptions {
  readonly home: string;
  readonly localUser: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly configFiles: readonly string[];
  readonly hostKeyChecking: HostKeyChecking | undefined;
}

/** Resolves logins as `ssh` would, from files that are read once. */
export interface SshConfigResolver {
  /** Rejects options that would lead somewhere else if they were ignored (ProxyCommand), with `unreachable`. */
  resolve(request: HostRequest): ResolvedHost;
}

/** Makes a resolver. Precedence as with ssh: the request, then `-o` options, then the files, first match first. */
export function createSshConfig(options: SshConfigOptions): SshConfigResolver {
  const parsed = new Map<string, SSHConfig>();

  function read(path: string): SSHConfig {
    const existing = parsed.get(path);
    if (existing) return existing;
    const config = SSHConfig.parse(readConfigFile(path, options.home));
    parsed.set(path, config);
    return config;
  }

  return {
    resolve(request) {
      const own = request.sshOptions ?? {};
      const ownFile = own[configFileOption];
      const files =
        ownFile === undefined ? options.configFiles : ownFile === 'none' ? [] : [expandHome(ownFile, options.home)];
      const user = request.user ?? own.user;
      const layers = files.map((file) => {
        const config = read(file);
        // An option that only differs in case is the same one.
        return config.compute(user === undefined ? { Host: request.address } : { Host: request.address, User: user }, {
          ignoreCase: true,
        });
      });
      return resolveHost(request, own, layers, options);
    },
  };
}

type Layer = Readonly<Record<string, string | readonly string[]>>;

function resolveHost(
  request: HostRequest,
  own: SshOptions,
  layers: readonly Layer[],
  options: SshConfigOptions,
): ResolvedHost {
  /** All values of an option: of the first place that has it, or of all for those that add up. */
  function words(name: string): readonly string[] {
    for (const layer of [own, ...layers]) {
      const value = layer[name];
      if (value !== undefined) return typeof value === 'string' ? value.split(/\s+/) : value;
    }
    return [];
  }
  const one = (name: string): string | undefined => words(name)[0];
  const user = request.user ?? one('user') ?? options.localUser;
  const hostname = (one('hostname') ?? request.address).replaceAll('%h', request.address).replaceAll('%%', '%');
  const port = request.port ?? numberOf(one('port'), 'Port', request.address) ?? 22;
  const tokens: Readonly<Record<string, string>> = {
    '%': '%',
    d: options.home,
    h: hostname,
    n: request.address,
    p: String(port),
    r: user,
    u: options.localUser,
  };
  const file = (path: string): string => {
    const named = path
      .replace(/%([%dhnpru])/g, (whole, token: string) => tokens[token] ?? whole)
      .replace(/\$\{(\w+)\}/g, (_, name: string) => options.environment[name] ?? '');
    return expandHome(named, options.home);
  };
  const identities = [own, ...layers].flatMap((layer) => listOf(layer.identityfile)).filter((path) => path !== 'none');
  const given = request.privateKeyFile === undefined ? [] : [request.privateKeyFile];
  const hasOwnIdentities = identities.length + given.length > 0;
  const identityFiles = hasOwnIdentities
    ? [...given, ...identities].map(file)
    : ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(options.home, '.ssh', name));
  const agent = one('identityagent') ?? 'SSH_AUTH_SOCK';
  const proxyCommand = words('proxycommand').join(' ');
  if (proxyCommand !== '' && proxyCommand !== 'none' && one('proxyjump') === undefined) {
    throw new RunbookError('unreachable', `${request.address}: ProxyCommand is not supported (${proxyCommand})`, {
      hint: '`ssh -W %h:%p BASTION` is the same as ProxyJump BASTION, which is',
    });
  }
  const jumps = one('proxyjump');
  const seconds = numberOf(one('connecttimeout'), 'ConnectTimeout', request.address);
  const alive = numberOf(one('serveraliveinterval'), 'ServerAliveInterval', request.address);
  const family = one('addressfamily');

  return {
    hostname,
    port,
    user,
    identityFiles: [...new Set(identityFiles)],
    hasOwnIdentities,
    identitiesOnly: one('identitiesonly')?.toLowerCase() === 'yes',
    agent:
      agent === 'none'
        ? undefined
        : agent === 'SSH_AUTH_SOCK'
          ? options.environment.SSH_AUTH_SOCK || undefined
          : file(agent.replace(/^\$(\w+)$/, '${$1}')),
    proxyJump: jumps === undefined || jumps === 'none' ? [] : words('proxyjump').join('').split(','),
    userKnownHostsFiles: filesOr(words('userknownhostsfile'), ['~/.ssh/known_hosts', '~/.ssh/known_hosts2']).map(file),
    globalKnownHostsFiles: filesOr(words('globalknownhostsfile'), ['/etc/ssh/ssh_known_hosts']).map(file),
    hostKeyChecking: options.hostKeyChecking ?? checkingOf(one('stricthostkeychecking')),
    hostKeyName: one('hostkeyalias') ?? hostKeyName(hostname, port),
    connectTimeoutMs: request.connectTimeoutMs ?? (seconds ? seconds * 1000 : 20_000),
    keepaliveMs: alive ? alive * 1000 : 15_000,
    keepaliveCount: numberOf(one('serveralivecountmax'), 'ServerAliveCountMax', request.address) ?? 3,
    family: family === 'inet' ? 4 : family === 'inet6' ? 6 : undefined,
    bindAddress: one('bindaddress'),
    warnings: warningsFor(request.address, [own, ...layers]),
  };
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

function filesOr(files: readonly string[], usual: readonly string[]): readonly string[] {
  if (files.length === 0) return usual;
  return files.filter((path) => path !== 'none');
}

function expandHome(path: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path;
}

function numberOf(text: string | undefined, name: string, host: string): number | undefined {
  if (text === undefined || (name === 'ConnectTimeout' && text === 'none')) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new RunbookError('invalid-input', `${host}: the ssh option ${name} must be a whole number, not "${text}"`);
}

/** OpenSSH asks on a terminal by default; here nobody can answer, so that is a refusal. */
function checkingOf(value: string | undefined): HostKeyChecking {
  switch (value?.toLowerCase()) {
    case 'no':
    case 'off':
      return 'off';
    case 'accept-new':
      return 'accept-new';
    default:
      return 'strict';
  }
}

/** Options that matter for reaching a host and that ssh2 cannot do; all others are about comfort. */
const unsupported: Readonly<Record<string, string>> = {
  certificatefile: 'user certificates are not supported; the plain key is used',
  pkcs11provider: 'PKCS#11 keys are not supported',
  kexalgorithms: 'the key exchange is chosen by runbook',
  ciphers: 'the cipher is chosen by runbook',
  macs: 'the MAC is chosen by runbook',
  hostkeyalgorithms: 'the order follows known_hosts',
  preferredauthentications: 'keys, agent and password are tried in this order',
  proxyusefdpass: 'it is not supported',
};

function warningsFor(host: string, layers: readonly Layer[]): string[] {
  const names = new Set(layers.flatMap((layer) => Object.keys(layer)));
  return Object.entries(unsupported)
    .filter(([name]) => names.has(name))
    .map(([name, reason]) => `${host}: the ssh option ${name} is ignored: ${reason}`);
}

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Diagnostic, DiagnosticsError, didYouMean } from '../base/diagnostic.ts';
import { RunbookError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import type { Range } from '../base/source.ts';
import type { Scope } from '../language/value.ts';
import { parseSshArgs, type SshOptions } from '../transport/ssh-options.ts';
import type { Become, Target } from '../transport/transport.ts';
import { type ConnectionProperty, connectionNames, connectionPropertyOf } from './connection-names.ts';
import type { Host, VariableLayer } from './inventory.ts';

/** Where a host is and how to log in to it, from its variables. Raises a DiagnosticsError for a value of a wrong type. */
export function targetOf(host: Host, scope: Scope): Target {
  const read = createReader(scope, host);
  const connection = read('connection', asConnection) ?? 'ssh';
  const port = read('port', asPort);
  const user = read('user', asText);
  const password = read('password', asSecret);
  const privateKeyFile = read('privateKeyFile', asPath);
  const privateKeyPassphrase = read('privateKeyPassphrase', asSecret);
  const timeout = read('timeout', asSeconds);
  // The order in which Ansible passes them to ssh, for which the first value of an option counts.
  const args = [read('sshArgs', asSshArgs), read('sshCommonArgs', asSshArgs), read('sshExtraArgs', asSshArgs)];
  const sshOptions: SshOptions = Object.assign({}, ...args.reverse());
  return {
    name: host.name,
    connection,
    address: read('host', asText) ?? host.name,
    ...(port !== undefined && { port }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(privateKeyFile !== undefined && { privateKeyFile }),
    ...(privateKeyPassphrase !== undefined && { privateKeyPassphrase }),
    ...(Object.keys(sshOptions).length > 0 && { sshOptions }),
    ...(timeout !== undefined && { connectTimeoutMs: timeout * 1000 }),
  };
}

/** Whether tasks become another user on a host, and which, where the playbook does not say so. */
export function becomeOf(scope: Scope, host?: Host): { readonly isEnabled: boolean; readonly become: Become } {
  const read = createReader(scope, host);
  const password = read('becomePassword', asSecret);
  const become = {
    user: read('becomeUser', asText) ?? 'root',
    method: read('becomeMethod', asMethod) ?? 'sudo',
    ...(password !== undefined && { password }),
  };
  return { isEnabled: read('become', asBoolean) ?? false, become };
}

/** Judges the connection variables of a layer that depend on nothing, so that mistakes show before a host is contacted. */
export function checkConnectionVariables(layer: VariableLayer): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const [name, value] of layer.variables) {
    const property = connectionPropertyOf(name);
    if (!property || !value.isLiteral) continue;
    const converted = convertAny(converters[property], value.render({}));
    if (isProblem(converted)) diagnostics.push(diagnosticOf(name, converted, value.range));
  }
  return diagnostics;
}

/** What is wrong with a value, to be read after the variable's name. */
interface Problem {
  readonly problem: string;
  readonly hint?: string | undefined;
}

type Convert<T> = (data: unknown) => T | Problem;

function createReader(scope: Scope, host: Host | undefined) {
  return <T>(property: ConnectionProperty, convert: Convert<T>): T | undefined => {
    const name = connectionNames[property].findLast((n) => Object.hasOwn(scope, n) && scope[n] != null);
    if (name === undefined) return undefined;
    const converted = convertAny(convert, scope[name]);
    if (!isProblem(converted)) return converted;
    const range = host?.layers.findLast((layer) => layer.variables.has(name))?.variables.get(name)?.range;
    if (range) throw new DiagnosticsError([diagnosticOf(name, converted, range)]);
    throw new RunbookError('invalid-input', `${name} ${converted.problem}`, { hint: converted.hint });
  };
}

/** A value of any variable may stand encrypted. What is wrong with it is told without quoting it. */
function convertAny<T>(convert: Convert<T>, data: unknown): T | Problem {
  if (!(data instanceof Secret) || convert === asSecret) return convert(data);
  const converted = convert(data.reveal());
  return isProblem(converted) ? { problem: 'is encrypted, and what is inside cannot be its value' } : converted;
}

function isProblem(converted: unknown): converted is Problem {
  return typeof converted === 'object' && converted !== null && 'problem' in converted;
}

function diagnosticOf(name: string, { problem, hint }: Problem, range: Range): Diagnostic {
  return { severity: 'error', message: `${name} ${problem}`, range, ...(hint !== undefined && { hint }) };
}

const converters: Readonly<Record<ConnectionProperty, Convert<unknown>>> = {
  host: asText,
  port: asPort,
  user: asText,
  password: asSecret,
  privateKeyFile: asPath,
  privateKeyPassphrase: asSecret,
  connection: asConnection,
  timeout: asSeconds,
  sshArgs: asSshArgs,
  sshCommonArgs: asSshArgs,
  sshExtraArgs: asSshArgs,
  become: asBoolean,
  becomeUser: asText,
  becomeMethod: asMethod,
  becomePassword: asSecret,
};

function asText(data: unknown): string | Problem {
  // An INI inventory reads `ansible_user=1000` as a number.
  if (typeof data === 'number') return String(data);
  if (typeof data === 'string' && data !== '') return data;
  return { problem: `must be a text, not ${describe(data)}` };
}

function asSecret(data: unknown): Secret | Problem {
  if (data instanceof Secret) return data;
  if (typeof data === 'number') return new Secret(String(data));
  if (typeof data === 'string') return new Secret(data);
  // A value that may be a password stays out of the message.
  const kind = typeof data === 'object' ? describe(data) : `a ${typeof data}`;
  return { problem: `must be a text, not ${kind}` };
}

function asPort(data: unknown): number | Problem {
  const port = typeof data === 'string' && /^[0-9]+$/.test(data) ? Number(data) : data;
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  return { problem: `must be a number from 1 to 65535, not ${describe(data)}` };
}

function asSeconds(data: unknown): number | Problem {
  const seconds = typeof data === 'string' && /^[0-9.]+$/.test(data) ? Number(data) : data;
  if (typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0) return seconds;
  return { problem: `must be a number of seconds above 0, not ${describe(data)}` };
}

function asPath(data: unknown): string | Problem {
  if (typeof data !== 'string' || data === '') return { problem: `must be a path, not ${describe(data)}` };
  if (data === '~' || data.startsWith('~/')) return join(homedir(), data.slice(1));
  if (data.startsWith('~')) return { problem: `cannot begin with another user's home, as ${describe(data)} does` };
  return resolve(data);
}

function asSshArgs(data: unknown): SshOptions | Problem {
  if (typeof data !== 'string') return { problem: `must be a text, not ${describe(data)}` };
  try {
    return parseSshArgs(data);
  } catch (error) {
    if (!(error instanceof RunbookError)) throw error;
    return { problem: `cannot be used: ${error.message}`, hint: error.hint };
  }
}

function asBoolean(data: unknown): boolean | Problem {
  if (typeof data === 'boolean') return data;
  const word = String(data).toLowerCase();
  if (/^(yes|true|on|y|t|1)$/.test(word)) return true;
  if (/^(no|false|off|n|f|0)$/.test(word)) return false;
  return { problem: `must be true or false, not ${describe(data)}` };
}

function asConnection(data: unknown): 'ssh' | 'local' | Problem {
  if (data === 'local') return 'local';
  if (data === 'ssh' || data === 'smart') return 'ssh';
  return choice(data, ['ssh', 'local']);
}

function asMethod(data: unknown): Become['method'] | Problem {
  if (data === 'sudo' || data === 'su' || data === 'doas') return data;
  return choice(data, ['sudo', 'su', 'doas']);
}

function choice(data: unknown, words: readonly string[]): Problem {
  const hint = typeof data === 'string' ? didYouMean(data, words) : undefined;
  return { problem: `must be ${words.join(' or ')}, not ${describe(data)}`, hint };
}

function describe(data: unknown): string {
  if (Array.isArray(data)) return 'a list';
  if (typeof data === 'object' && data !== null) return 'a map';
  return JSON.stringify(data) ?? String(data);
}

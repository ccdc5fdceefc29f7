import { type Diagnostic, didYouMean } from '../base/diagnostic.ts';
import type { Range } from '../base/source.ts';
import { providedNames } from '../language/load/fields.ts';

/** What a connection variable says. */
export type ConnectionProperty =
  | 'host'
  | 'port'
  | 'user'
  | 'password'
  | 'privateKeyFile'
  | 'privateKeyPassphrase'
  | 'connection'
  | 'timeout'
  | 'sshArgs'
  | 'sshCommonArgs'
  | 'sshExtraArgs'
  | 'become'
  | 'becomeUser'
  | 'becomeMethod'
  | 'becomePassword';

/** The variables that say it. Where a host has several of them, the last one counts, as in Ansible. */
export const connectionNames: Readonly<Record<ConnectionProperty, readonly string[]>> = {
  host: ['ansible_host', 'ansible_ssh_host'],
  port: ['ansible_port', 'ansible_ssh_port'],
  user: ['ansible_user', 'ansible_ssh_user'],
  password: ['ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password'],
  // The other way round than Ansible: `--private-key` stands under the first name and is to lose to the inventory.
  privateKeyFile: ['ansible_ssh_private_key_file', 'ansible_private_key_file'],
  privateKeyPassphrase: ['ansible_private_key_passphrase', 'ansible_ssh_private_key_passphrase'],
  connection: ['ansible_connection'],
  timeout: ['ansible_timeout', 'ansible_ssh_timeout'],
  sshArgs: ['ansible_ssh_args'],
  sshCommonArgs: ['ansible_ssh_common_args'],
  sshExtraArgs: ['ansible_ssh_extra_args'],
  become: ['ansible_become'],
  becomeUser: ['ansible_become_user', 'ansible_sudo_user'],
  becomeMethod: ['ansible_become_method'],
  becomePassword: ['ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass'],
};

/** Variables of Ansible that steer something which a target of runbook does not have, such as its Python. */
const needless: ReadonlySet<string> = new Set([
  'ansible_python_interpreter',
  'ansible_group_priority',
  'ansible_remote_tmp',
  'ansible_shell_type',
  'ansible_pipelining',
  'ansible_ssh_pipelining',
  'ansible_ssh_transfer_method',
  'ansible_ssh_retries',
  'ansible_sftp_extra_args',
  'ansible_scp_extra_args',
  'ansible_ssh_use_tty',
  'ansible_network_os',
  'ansible_os_family',
  'ansible_distribution',
]);

/** Variables of Ansible that would change how a host is reached, and that have no counterpart. */
const unsupported: ReadonlySet<string> = new Set([
  'ansible_become_exe',
  'ansible_become_flags',
  'ansible_host_key_checking',
  'ansible_ssh_host_key_checking',
  'ansible_shell_executable',
  'ansible_ssh_executable',
]);

const properties: ReadonlyMap<string, ConnectionProperty> = new Map(
  (Object.keys(connectionNames) as ConnectionProperty[]).flatMap((property) =>
    connectionNames[property].map((name) => [name, property] as const),
  ),
);

/** What a variable says about the connection; undefined for every other variable. */
export function connectionPropertyOf(name: string): ConnectionProperty | undefined {
  return properties.get(name);
}

/** A warning for a variable that has no effect, or that looks like a connection variable and is none. */
export function checkVariableName(name: string, range: Range): Diagnostic | undefined {
  if (providedNames.has(name)) {
    return { severity: 'warning', message: `${name} is provided by the engine: a value here has no effect`, range };
  }
  if (unsupported.has(name)) {
    const hint = name.endsWith('host_key_checking') ? 'use the option --host-key-checking' : undefined;
    return { severity: 'warning', message: `${name} has no effect here`, range, ...(hint && { hint }) };
  }
  // Nearness to a name is no slip when the variable has a name of its own: facts of Ansible begin in the same way.
  if (!name.startsWith('ansible_') || properties.has(name) || needless.has(name)) return undefined;
  const hint = didYouMean(name, properties.keys());
  if (!hint) return undefined;
  return { severity: 'warning', message: `${name} is no connection variable and has no effect`, hint, range };
}

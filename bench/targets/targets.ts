import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A host as the controller reaches it. */
export interface Target {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** As a known_hosts line has it, without the name: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** The folder under which its files are: of hosts that share a file system each has its own. */
  readonly root: string;
}

/** Hosts to work on. Root logs in with a key. */
export interface Targets {
  /** `3 lab nodes`. */
  readonly description: string;
  readonly hosts: readonly Target[];
  readonly keyFile: string;
  /** Runs shell text on every host; `$1` is its name, `$2` its root. Raises when it fails. */
  execute(script: string): Promise<void>;
  /** When users were logged in, by the port that they came from. Milliseconds since the epoch. */
  logins(): Promise<ReadonlyMap<number, number>>;
  /** The servers' processes, as the controller sees them. */
  readonly serverPids: readonly number[];
}

/** The first so many of the hosts. */
export function someOf(targets: Targets, count: number): Targets {
  return { ...targets, hosts: targets.hosts.slice(0, count) };
}

/** Writes down the hosts' keys, and returns the options with which OpenSSH uses them and the user's key. */
export async function sshOptions({ hosts, keyFile }: Targets, folder: string): Promise<string[]> {
  const file = join(folder, 'known_hosts');
  const lines = hosts.map(({ address, port, hostKey }) => {
    const name = port === 22 ? address : `[${address}]:${port}`;
    return `${name} ${hostKey}\n`;
  });
  await writeFile(file, lines.join(''));
  const options = [`UserKnownHostsFile=${file}`, 'StrictHostKeyChecking=yes', 'IdentitiesOnly=yes'];
  return ['-i', keyFile, ...options.flatMap((option) => ['-o', option])];
}

/** Writes the hosts down as both runbook and Ansible read them. */
export async function writeInventory(targets: Targets, folder: string): Promise<string> {
  const options = (await sshOptions(targets, folder)).slice(2).join(' ');
  const lines = [
    '[targets]',
    ...targets.hosts.map(
      ({ name, address, port, root }) => `${name} ansible_host=${address} ansible_port=${port} root=${root}`,
    ),
    '[targets:vars]',
    'ansible_user=root',
    `ansible_ssh_private_key_file=${targets.keyFile}`,
    `ansible_ssh_common_args='${options}'`,
    'ansible_python_interpreter=/usr/bin/python3',
  ];
  await writeFile(join(folder, 'hosts.ini'), `${lines.join('\n')}\n`);
  return 'hosts.ini';
}

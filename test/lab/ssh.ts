import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabNode } from './node/nodes.ts';
import { attempt, type Result, run } from './run.ts';
import { paths, stateDir } from './settings.ts';

/** Makes the user's key and one host key per node, and the known_hosts file that names them before the first boot. */
export async function ensureKeys(nodes: readonly LabNode[]): Promise<void> {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  await ensureKey(paths.key, 'runbook-lab');
  mkdirSync(join(stateDir, 'host-keys'), { recursive: true, mode: 0o700 });
  for (const node of nodes) await ensureKey(hostKeyPath(node), node.name);
  const lines = nodes.map((node) => {
    const [type, key] = readFileSync(`${hostKeyPath(node)}.pub`, 'utf8').split(' ');
    return `${node.name},${node.address} ${type} ${key}\n`;
  });
  writeFileSync(paths.knownHosts, lines.join(''));
}

/** The private host key of a node; its public half has `.pub` behind it. */
export function hostKeyPath(node: LabNode): string {
  return join(stateDir, 'host-keys', node.name);
}

/** The options with which this lab's key and host keys are used, and nothing of the caller's own configuration. */
export function sshArguments(node: LabNode, user = 'root'): string[] {
  const options = [`UserKnownHostsFile=${paths.knownHosts}`, 'StrictHostKeyChecking=yes', 'IdentitiesOnly=yes'];
  const flags = options.flatMap((option) => ['-o', option]);
  return ['-F', '/dev/null', '-i', paths.key, ...flags, '-l', user, node.address];
}

/** Runs a shell command on a node. */
export function ssh(
  node: LabNode,
  command: string,
  options: { input?: string; timeoutMs?: number } = {},
): Promise<Result> {
  const quick = ['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=3'];
  return attempt('ssh', [...quick, ...sshArguments(node), command], { timeoutMs: 120_000, input: '', ...options });
}

async function ensureKey(path: string, comment: string): Promise<void> {
  if (existsSync(`${path}.pub`)) return;
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path], { input: 'y\n' });
}

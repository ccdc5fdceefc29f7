import { spawnSync } from 'node:child_process';
import { ansible, ansibleWithPipelining } from './ansible.ts';
import { mitogen } from './mitogen.ts';
import type { Peer, PeerName } from './peer.ts';
import { runbook } from './runbook.ts';
import { ssh, sshWithControlMaster } from './ssh.ts';

/** All tools, by their names. */
export const peers: Readonly<Record<PeerName, Peer>> = {
  runbook,
  Ansible: ansible,
  'Ansible with pipelining': ansibleWithPipelining,
  Mitogen: mitogen,
  ssh,
  'ssh with ControlMaster': sshWithControlMaster,
};

/** Installs from Debian what the tools need and is missing. */
export function installPeers(): void {
  // strace counts processes; without it they are not counted. The server is that of the targets on loopback.
  const wanted = ['strace', 'openssh-server', ...Object.values(peers).flatMap(({ packages }) => packages)];
  const missing = wanted.filter((name) => !isInstalled(name));
  if (missing.length === 0 || process.getuid?.() !== 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', ['update', '-qq'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  spawnSync('apt-get', ['install', '-y', '-qq', ...new Set(missing)], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** The tools that cannot take part, with why. */
export function missingPeers(): ReadonlyMap<PeerName, string> {
  const leftOut = Object.values(peers).flatMap(({ name, packages }): [PeerName, string][] => {
    const without = packages.filter((one) => !isInstalled(one));
    return without.length === 0 ? [] : [[name, `${without.join(', ')} is not installed`]];
  });
  return new Map(leftOut);
}

function isInstalled(name: string): boolean {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '$' + '{db:Status-Status}', name], { encoding: 'utf8' });
  return stdout === 'installed';
}

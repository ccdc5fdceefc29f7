import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { LabFailure } from './failure.ts';
import { say } from './progress.ts';
import { run } from './run.ts';

/** A program that the lab needs on this machine, and the Debian package that brings it. */
const needed: ReadonlyArray<readonly [program: string, debianPackage: string]> = [
  ['systemd-nspawn', 'systemd-container'],
  ['mmdebstrap', 'mmdebstrap'],
  ['ssh', 'openssh-client'],
  ['ssh-keygen', 'openssh-client'],
  ['ip', 'iproute2'],
  ['mount', 'mount'],
  ['kubectl', 'kubernetes-client'],
];

/** Installs what is missing when this is root on Debian; otherwise says what is missing (exit code 5). */
export async function ensureHostPackages(): Promise<void> {
  const missing = needed.filter(([program]) => findProgram(program) === undefined);
  const obstacle = obstacles(missing.map(([program]) => program));
  if (obstacle !== undefined) throw new LabFailure(obstacle, 5);
  if (missing.length === 0) return;

  const packages = [...new Set(missing.map(([, debianPackage]) => debianPackage))];
  say(`installing on this machine: ${packages.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env, timeoutMs: 300_000 });
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env, timeoutMs: 600_000 });
}

/** The path of a program on the PATH, or in the folders of system programs that a user's PATH may lack. */
export function findProgram(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

function obstacles(missing: readonly string[]): string | undefined {
  if (process.platform !== 'linux') return `the lab needs Linux; this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'the lab boots machines: run it as root';
  if (missing.length > 0 && !isDebian()) {
    return `the lab needs Debian to install what is missing here: ${missing.join(', ')}`;
  }
  return undefined;
}

function isDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

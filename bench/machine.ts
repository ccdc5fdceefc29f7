import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { setTimeout } from 'node:timers/promises';

/** What numbers were measured on. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly kernel: string;
  readonly node: string;
  /** `2.14.18`, or undefined where Ansible is not installed. */
  readonly ansible?: string;
  /** `0.3.3-9`, as Debian counts, or undefined where it is not installed. */
  readonly mitogen?: string;
  /** `OpenSSH_9.2p1`. */
  readonly ssh?: string;
}

/** Describes this machine, without names and addresses. */
export function describeMachine(): Machine {
  const ansible = /\d+(\.\d+)+/.exec(said('ansible', ['--version']))?.[0];
  // biome-ignore format: dpkg's own notation
  const mitogen = said('dpkg-query', ['-W', '-f', '${Version}', 'ansible-mitogen']);
  const ssh = /OpenSSH_[^\s,]+/.exec(said('sh', ['-c', 'ssh -V 2>&1']))?.[0];
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown',
    kernel: release(),
    node: process.version,
    ...(ansible !== undefined && { ansible }),
    ...(mitogen !== '' && { mitogen }),
    ...(ssh !== undefined && { ssh }),
  };
}

/**
 * How many processors others keep busy, measured for two seconds: they lack in what is measured next. The load that the kernel
 * tells remembers the benchmark before for minutes.
 */
export async function currentLoad(): Promise<number> {
  const [before, from] = [busyMs(), performance.now()];
  await setTimeout(2000);
  return Math.round(((busyMs() - before) / (performance.now() - from)) * 10) / 10;
}

function busyMs(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
}

/** Standard output of a program, empty when it failed or is not there. */
function said(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

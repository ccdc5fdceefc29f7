import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';

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
}

/** Describes this machine, without names and addresses. */
export function describeMachine(): Machine {
  const ansible = ansibleVersion();
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown',
    kernel: release(),
    node: process.version,
    ...(ansible !== undefined && { ansible }),
  };
}

/** How many programs wanted to run at the same time lately: above the number of processors, they were in each other's way. */
export function currentLoad(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10;
}

function ansibleVersion(): string | undefined {
  try {
    const said = execFileSync('ansible', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return /\d+(\.\d+)+/.exec(said)?.[0];
  } catch {
    return undefined;
  }
}

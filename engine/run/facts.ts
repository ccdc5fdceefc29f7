import { sh } from '../base/sh.ts';
import { type Probe, probe } from '../module/contract.ts';

/** What is known of a host without being told. */
export interface Facts {
  readonly hostname: string;
  /** From os-release(5): `family` is the first word of ID_LIKE, or the id itself. */
  readonly os: { readonly id: string; readonly version: string; readonly name: string; readonly family: string };
  /** As `uname -m` says it: `x86_64`, `aarch64`. */
  readonly machine: string;
  /** As releases are named: `amd64`, `arm64`. */
  readonly arch: string;
  readonly kernel: string;
  /** 2 where /sys/fs/cgroup is a cgroup2 file system, else 1. */
  readonly cgroup_version: number;
  /** 0 where there is no systemd. */
  readonly systemd_version: number;
  readonly cpus: number;
  readonly memory_mb: number;
}

/**
 * The question that gathers {@link Facts}: one script, POSIX sh and coreutils only. What a host lacks has a stand-in value
 * (no systemd is version 0); a host without os-release(5) is no failure either, its `os.id` is `unknown`.
 */
export const factsProbe: Probe<Facts> = probe(
  sh`uname -n; uname -m; uname -r
stat -fc %T /sys/fs/cgroup 2>/dev/null || echo none
systemctl --version 2>/dev/null | sed -n '1s/^systemd \\([0-9]*\\).*/\\1/p' | grep . || echo 0
getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1
sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo 2>/dev/null | grep . || echo 0
cat /etc/os-release /usr/lib/os-release 2>/dev/null || true`,
  ({ stdout }) => parseFacts(stdout),
);

function parseFacts(text: string): Facts {
  const [hostname = '', machine = '', kernel = '', cgroup = '', systemd = '0', cpus = '1', memory = '0', ...release] =
    text.split('\n');
  const os = parseOsRelease(release);
  const arch = { x86_64: 'amd64', aarch64: 'arm64', armv7l: 'arm' }[machine] ?? machine;
  return {
    hostname,
    os,
    machine,
    arch,
    kernel,
    cgroup_version: cgroup === 'cgroup2fs' ? 2 : 1,
    systemd_version: Number(systemd),
    cpus: Number(cpus),
    memory_mb: Math.round(Number(memory) / 1024),
  };
}

function parseOsRelease(lines: readonly string[]): Facts['os'] {
  const values = new Map<string, string>();
  for (const line of lines) {
    const [, key, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    // The first file that has a key wins: /etc/os-release stands before /usr/lib/os-release.
    if (key !== undefined && value !== undefined && !values.has(key))
      values.set(key, value.replace(/^(["'])(.*)\1$/, '$2'));
  }
  const id = values.get('ID') ?? 'unknown';
  return {
    id,
    version: values.get('VERSION_ID') ?? '',
    name: values.get('PRETTY_NAME') ?? id,
    family: (values.get('ID_LIKE') ?? id).split(' ')[0] ?? id,
  };
}

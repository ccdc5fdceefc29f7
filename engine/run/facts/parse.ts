import type { Facts } from '../../language/facts-schema.ts';
import { parseAddresses } from './addresses.ts';
import { parseMounts } from './mounts.ts';
import { sectionMark } from './script.ts';

/** Reads what the facts script printed. Pure, and never fails: what is missing in the answer gets its stand-in value. */
export function parseFacts(text: string): Facts {
  const section = sectionsOf(text);
  const first = (name: string): string => section(name)[0]?.trim() ?? '';
  const [hostname = '', machine = '', kernel = ''] = section('uname');
  const manager = first('manager');
  return {
    hostname,
    fqdn: parseFullName(hostname, section('hosts')),
    os: parseOsRelease(section('os')),
    machine,
    arch: architectures.get(machine) ?? machine,
    kernel,
    cgroup_version: first('cgroup') === '2' ? 2 : 1,
    service_manager: manager === 'systemd' || manager === 'openrc' ? manager : 'other',
    systemd_version: Number(/^systemd (\d+)/.exec(first('systemd'))?.[1] ?? 0),
    cpus: Number(first('cpus')) || 1,
    memory_mb: memoryOf(section('memory'), 'MemTotal'),
    swap_mb: memoryOf(section('memory'), 'SwapTotal'),
    addresses: parseAddresses(section('addresses'), section('route4'), section('route6')),
    mounts: parseMounts(section('mounts'), section('df')),
    container_runtimes: parseRuntimes(section),
    kubelet: parseKubelet(section, hostname),
  };
}

type Sections = (name: string) => readonly string[];

/** The answer's lines by section; a section that is not there has none. */
function sectionsOf(text: string): Sections {
  const sections = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith(sectionMark)) sections.set(line.slice(sectionMark.length), (current = []));
    else if (line !== '') current.push(line);
  }
  return (name) => sections.get(name) ?? [];
}

/** Names of machines under which releases have another name. Go and Debian call them so. */
const architectures: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['aarch64', 'arm64'],
  ['armv7l', 'arm'],
]);

function parseFullName(hostname: string, hosts: readonly string[]): string {
  if (hostname.includes('.')) return hostname;
  for (const line of hosts) {
    const [, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const full = names.find((name) => name.startsWith(`${hostname}.`));
    if (full !== undefined && names.includes(hostname)) return full;
  }
  return hostname;
}

/** Distributions that others say they are like, with the name of their family. */
const families: ReadonlyMap<string, string> = new Map([
  ['debian', 'debian'],
  ['ubuntu', 'debian'],
  ['rhel', 'rhel'],
  ['centos', 'rhel'],
  ['fedora', 'rhel'],
  ['suse', 'suse'],
  ['opensuse', 'suse'],
  ['sles', 'suse'],
  ['arch', 'arch'],
  ['alpine', 'alpine'],
]);

function parseOsRelease(lines: readonly string[]): Facts['os'] {
  const values = new Map<string, string>();
  for (const line of lines) {
    const [, key, value] = /^([A-Z_]+)=(.*)$/.exec(line.trim()) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, value.replace(/^(["'])(.*)\1$/, '$2'));
  }
  const id = values.get('ID') ?? 'unknown';
  const kin = [id, ...(values.get('ID_LIKE') ?? '').split(' ')];
  return {
    id,
    version: values.get('VERSION_ID') ?? '',
    name: values.get('PRETTY_NAME') ?? id,
    family: kin.flatMap((name) => families.get(name) ?? [])[0] ?? id,
    codename: values.get('VERSION_CODENAME') ?? '',
  };
}

function memoryOf(lines: readonly string[], name: string): number {
  const line = lines.find((l) => l.startsWith(`${name}:`));
  return Math.round(Number(/(\d+) kB/.exec(line ?? '')?.[1] ?? 0) / 1024);
}

function parseRuntimes(section: Sections): Facts['container_runtimes'] {
  const sockets = section('sockets');
  const runtime = (name: string, version: string, socket: RegExp): Facts['container_runtimes']['docker'] => ({
    installed: version !== '',
    version,
    running: section('running').includes(name),
    socket: sockets.find((path) => socket.test(path)) ?? '',
  });
  return {
    docker: runtime('docker', versionIn(section('docker'), /^Docker version ([^\s,]+)/), /\/docker\.sock$/),
    // `containerd github.com/containerd/containerd/v2 v2.0.4 …`, in packages of Docker `containerd containerd.io 1.6.21 …`.
    containerd: runtime('containerd', versionIn(section('containerd'), /^containerd \S+ v?(\S+)/), /containerd\.sock$/),
    crio: runtime('crio', versionIn(section('crio'), /^crio version v?(\S+)/), /\/crio\.sock$/),
  };
}

function parseKubelet(section: Sections, hostname: string): Facts['kubelet'] {
  const version = versionIn(section('kubelet'), /^Kubernetes v?(\S+)/);
  const flag = (name: string): string | undefined =>
    section('flags')
      .find((line) => line.startsWith(`--${name}`))
      ?.slice(name.length + 3);
  const inConfig = section('config')[0]
    ?.trim()
    .replace(/^(["'])(.*)\1$/, '$2');
  return {
    installed: version !== '',
    version,
    running: section('running').includes('kubelet'),
    runtime_endpoint: flag('container-runtime-endpoint') ?? inConfig ?? '',
    // As the kubelet makes it from the hostname.
    node_name: version === '' ? '' : (flag('hostname-override') ?? hostname.toLowerCase()),
  };
}

function versionIn(lines: readonly string[], pattern: RegExp): string {
  for (const line of lines) {
    const version = pattern.exec(line)?.[1];
    if (version !== undefined) return version;
  }
  return '';
}

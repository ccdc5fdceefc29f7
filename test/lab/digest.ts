import type { LabNode } from './node/nodes.ts';
import { ssh } from './ssh.ts';

const folders = '/boot /etc /home /opt /root /srv /tmp /usr /var/cache /var/lib /var/spool /var/tmp';

/** What changes by itself on an idle node, or is the lab's own. */
const volatilePaths = [
  ...['/opt/runbook-lab', '/tmp/systemd-private-*', '/var/tmp/systemd-private-*', '/var/cache/ldconfig'],
  ...['/var/lib/docker', '/var/lib/containerd', '/var/lib/systemd', '/var/lib/sudo', '/var/lib/cni/cache'],
];

/** Logins, and what timers start: an idle node has them come and go. */
const volatileUnits =
  /^(session-|user@|user-|run-|systemd-(tmpfiles-clean|logind|hostnamed|timedated|fsck)|apt-|dpkg-|e2scrub|fstrim|logrotate|motd|emergency|rescue)/;

const script = `set -f
prune='${volatilePaths.map((path) => `-path ${path} -prune -o`).join(' ')}'
echo '== paths'; find ${folders} $prune ! -type d -printf '%p\\t%y %m %U:%G %s %l\\n' 2>/dev/null
find ${folders} $prune -type d -printf '%p\\t%y %m %U:%G\\n' 2>/dev/null
echo '== sums'; find ${folders} $prune -type f -print0 2>/dev/null | xargs -0 -r -P2 -n500 sha256sum
echo '== files'; systemctl list-unit-files --plain --no-legend --no-pager
echo '== units'; systemctl show '*.service' '*.socket' '*.timer' '*.target' -p Id,ActiveState,SubState,ActiveEnterTimestampMonotonic
echo '== kernel'; grep -Hs . /proc/sys/net/ipv4/ip_forward /proc/sys/net/bridge/bridge-nf-call-iptables /proc/sys/vm/swappiness; exit 0
`;

/**
 * The state of a node as a map from a path, a unit or a setting to what it is, so that a test can say what changed.
 * Every file's mode, owner, size, digest and link target; every unit's state and the moment it reached it, so that a
 * restart shows too.
 */
export async function digestOf(node: LabNode): Promise<ReadonlyMap<string, string>> {
  const { code, stdout, stderr } = await ssh(node, `exec sh -s`, { input: script, timeoutMs: 180_000 });
  if (code !== 0) throw new Error(`the digest of ${node.name} failed: ${stderr}`);
  const digest = new Map<string, string>();
  for (const section of stdout.split(/^== /m)) {
    const [title = '', ...lines] = section.trimEnd().split('\n');
    if (title === 'units') addUnits(digest, lines);
    else for (const line of lines) addLine(digest, title, line);
  }
  if (digest.size < 1000) throw new Error(`the digest of ${node.name} has ${digest.size} entries only`);
  return digest;
}

/** The keys whose values differ between two digests, with both values. */
export function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  const different = keys.filter((key) => before.get(key) !== after.get(key));
  return different.map((key) => `${key}: ${before.get(key) ?? '(absent)'} → ${after.get(key) ?? '(absent)'}`);
}

function addLine(digest: Map<string, string>, title: string, line: string): void {
  if (title === 'paths') {
    const [path = '', what = ''] = line.split('\t');
    digest.set(path, what);
  } else if (title === 'sums') {
    const path = line.slice(66);
    digest.set(path, `${digest.get(path) ?? ''}${line.slice(0, 64)}`);
  } else if (title === 'files') {
    const [unit = '', state = ''] = line.split(/\s+/);
    // Units that systemd makes up as it runs: mounts of containers, scopes of sessions.
    if (state !== 'transient' && state !== 'generated') digest.set(`unit file ${unit}`, state);
  } else if (title === 'kernel') {
    const [path = '', value = ''] = line.split(':');
    digest.set(path, value);
  }
}

function addUnits(digest: Map<string, string>, lines: readonly string[]): void {
  for (const block of lines.join('\n').split('\n\n')) {
    const properties = new Map(block.split('\n').map((line) => [line.split('=')[0] ?? '', line.split('=')[1] ?? '']));
    const id = properties.get('Id') ?? '';
    if (id === '' || volatileUnits.test(id)) continue;
    const states = ['ActiveState', 'SubState', 'ActiveEnterTimestampMonotonic'].map((name) => properties.get(name));
    digest.set(`unit ${id}`, states.join(' '));
  }
}

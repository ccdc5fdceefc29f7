import type { Facts } from '../../language/facts-schema.ts';

/** Interfaces that container runtimes, pod networks and kube-proxy make, and loopback. */
const isOfContainers = new RegExp(
  `^(${[
    'lo',
    'docker\\d+|docker_gwbridge|br-[0-9a-f]{12}|podman\\d+|nerdctl\\d+|lxcbr\\d+|lxdbr\\d+',
    'veth.*|cni.*|cbr\\d+|kube-ipvs0|kube-bridge|kube-dummy-if|nodelocaldns',
    'flannel.*|cali.*|tunl0|vxlan.*\\.calico|wireguard\\.cali|wg-v6\\.cali|cilium.*|lxc.*',
    'weave|vethwe-.*|antrea-.*|ovn-k8s-.*|genev_sys_.*',
  ].join('|')})$`,
);

interface Address {
  readonly interface: string;
  readonly family: 'ipv4' | 'ipv6';
  /** With the length of its prefix. */
  readonly address: string;
}

/** Reads `ip -o addr` and what the kernel says to `ip route get`, as iproute2 and busybox print them. */
export function parseAddresses(
  lines: readonly string[],
  route4: readonly string[],
  route6: readonly string[],
): Facts['addresses'] {
  const addresses = lines.flatMap(parseAddress).filter((address) => !isOfContainers.test(address.interface));
  const plain = (family: Address['family']): string[] =>
    addresses.filter((a) => a.family === family).map((a) => a.address.replace(/\/.*/, ''));
  const interfaces = new Map<string, { ipv4: string[]; ipv6: string[] }>();
  for (const { interface: name, family, address } of addresses) {
    const found = interfaces.get(name) ?? { ipv4: [], ipv6: [] };
    found[family].push(address);
    interfaces.set(name, found);
  }
  return {
    default_ipv4: wordAfter('src', route4),
    default_ipv6: wordAfter('src', route6),
    default_interface: wordAfter('dev', route4) || wordAfter('dev', route6),
    ipv4: plain('ipv4'),
    ipv6: plain('ipv6').filter((address) => !/^fe[89ab]/i.test(address)),
    interfaces: Object.fromEntries(interfaces),
  };
}

/** `4: eth0    inet 192.0.2.2/24 brd …`; one end of a pair is `veth1@if4`, a point-to-point link has `peer …`. */
function parseAddress(line: string): Address[] {
  const [, name, version, address] = /^\d+:\s+([^\s@]+)\S*\s+inet(6?)\s+(\S+)/.exec(line) ?? [];
  if (name === undefined || address === undefined) return [];
  return [{ interface: name, family: version === '6' ? 'ipv6' : 'ipv4', address }];
}

/** Only a route leads somewhere: `unreachable … dev lo` is none. */
function wordAfter(word: string, [route = '']: readonly string[]): string {
  if (!/^[0-9a-f]/.test(route)) return '';
  return new RegExp(`\\s${word} (\\S+)`).exec(route)?.[1] ?? '';
}

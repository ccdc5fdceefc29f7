/** A flag that some kubelet knows; without `last` every one of them. */
interface Flag {
  readonly name: string;
  /** The last minor version that has it. */
  readonly last?: number;
  readonly isBoolean?: true;
}

const always = [
  ...['bootstrap-kubeconfig', 'kubeconfig', 'config', 'hostname-override', 'node-ip', 'node-labels', 'cgroup-driver'],
  ...['register-with-taints', 'root-dir', 'cert-dir', 'container-runtime-endpoint', 'image-service-endpoint', 'v'],
  ...[
    'runtime-request-timeout',
    'runtime-cgroups',
    'kubelet-cgroups',
    'pod-manifest-path',
    'cluster-dns',
    'node-status-update-frequency',
  ],
  ...[
    'cluster-domain',
    'max-pods',
    'feature-gates',
    'cloud-provider',
    'cgroup-root',
    'system-reserved',
    'kube-reserved',
  ],
  ...['eviction-hard', 'container-log-max-size', 'container-log-max-files', 'resolv-conf', 'tls-cipher-suites'],
];

const docker = [
  ...['network-plugin', 'cni-conf-dir', 'cni-bin-dir', 'cni-cache-dir', 'network-plugin-mtu', 'docker-endpoint'],
  ...['image-pull-progress-deadline', 'experimental-dockershim-root-directory'],
];

/** Sources: the flags removed in 1.24 with dockershim, `container-runtime` in 1.27, the pause image's in 1.35. */
const flags: readonly Flag[] = [
  ...always.map((name) => ({ name })),
  ...docker.map((name) => ({ name, last: 23 })),
  { name: 'container-runtime', last: 26 },
  { name: 'pod-infra-container-image', last: 34 },
  ...['fail-swap-on', 'rotate-certificates', 'register-node', 'protect-kernel-defaults'].map((name) => ({
    name,
    isBoolean: true as const,
  })),
];

/** Flags as the command line gave them; the last of two counts. */
export type FlagValues = ReadonlyMap<string, string>;

/** Parses a command line as this minor version would, or says why it would not start. */
export function parseFlags(args: readonly string[], minor: number): FlagValues | string {
  const values = new Map<string, string>();
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (!arg.startsWith('-')) return `unknown command ${arg}`;
    const [name = '', value] = splitOnce(arg.replace(/^--?/, ''));
    const flag = flags.find((known) => known.name === name && minor <= (known.last ?? Number.POSITIVE_INFINITY));
    if (flag === undefined) return `unknown flag: --${name}`;
    const next = value === undefined && !flag.isBoolean ? args[++index] : value;
    if (next === undefined && !flag.isBoolean) return `flag needs an argument: --${name}`;
    values.set(name, next ?? 'true');
  }
  return values;
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { parse } from 'yaml';
import type { FlagValues } from './flags.ts';

/** What the kubelet runs with, out of its flags and the real files. */
export interface KubeletSettings {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly version: string;
  readonly apiServer: string;
  readonly runtime:
    | { readonly kind: 'docker'; readonly network: 'cni' | 'none' }
    | { readonly kind: 'remote'; readonly socket: string };
  readonly pauseImage: string;
  readonly cniConfDir: string;
  readonly cniBinDir: string;
  readonly cgroupDriver: string;
  readonly staticPodPath: string;
  readonly healthzPort: number;
}

/** Reads config.yaml and the kubeconfig and puts the flags over them; throws what the real one would log. */
export function readSettings(flags: FlagValues, version: string, minor: number): KubeletSettings {
  const config = readYaml(flags.get('config'));
  const kubeconfig = readYaml(flags.get('kubeconfig'));
  const endpoint =
    flags.get('container-runtime-endpoint') ?? (minor >= 27 ? string(config.containerRuntimeEndpoint) : '');
  const clusters = kubeconfig.clusters as { cluster: { server: string } }[] | undefined;
  return {
    nodeName: flags.get('hostname-override') ?? hostname(),
    nodeIp: flags.get('node-ip') ?? '127.0.0.1',
    version,
    apiServer: clusters?.[0]?.cluster.server ?? '',
    runtime: runtime(flags, endpoint ?? '', minor),
    pauseImage: flags.get('pod-infra-container-image') ?? 'k8s.gcr.io/pause:3.6',
    cniConfDir: flags.get('cni-conf-dir') ?? '/etc/cni/net.d',
    cniBinDir: flags.get('cni-bin-dir') ?? '/opt/cni/bin',
    cgroupDriver: flags.get('cgroup-driver') ?? string(config.cgroupDriver) ?? 'cgroupfs',
    staticPodPath: string(config.staticPodPath) ?? '',
    healthzPort: Number(config.healthzPort ?? 10248),
  };
}

function runtime(flags: FlagValues, endpoint: string, minor: number): KubeletSettings['runtime'] {
  if (minor <= 23 && (flags.get('container-runtime') ?? 'docker') === 'docker') {
    return { kind: 'docker', network: flags.get('network-plugin') === 'cni' ? 'cni' : 'none' };
  }
  if (minor <= 26 && flags.has('container-runtime') && flags.get('container-runtime') !== 'remote') {
    throw new Error(`unsupported CRI runtime: "${flags.get('container-runtime')}"`);
  }
  // Up to 1.26 the flag has this default, which is why a forgotten endpoint ends at a socket that nobody serves.
  const address = endpoint === '' && minor <= 26 ? 'unix:///var/run/dockershim.sock' : endpoint;
  if (address === '')
    throw new Error(
      'the container runtime endpoint address was not specified or empty, use --container-runtime-endpoint to set',
    );
  const socket = address.replace(/^unix:\/\//, '');
  if (!socket.startsWith('/'))
    throw new Error(`failed to run Kubelet: protocol "${socket.split(':')[0]}" not supported`);
  return { kind: 'remote', socket };
}

function readYaml(path: string | undefined): Record<string, unknown> {
  if (path === undefined) return {};
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new Error(`failed to load Kubelet config file ${path}, error failed to read kubelet config file "${path}"`);
  }
  // A map, or the fields that are looked for are simply not there.
  return (parse(text) ?? {}) as Record<string, unknown>;
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod, RunningPod } from './pods.ts';
import type { KubeletSettings } from './settings.ts';

interface NetworkConfig {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly { readonly type: string }[];
}

interface CniResult {
  readonly ips?: readonly { readonly address: string }[];
}

const cacheDir = '/var/lib/cni/cache/results';

/** Gives a sandbox its network with the real plugins, and leaves the cache that libcni leaves. */
export function addToNetwork(settings: KubeletSettings, pod: Pod, sandboxId: string, pid: number): void {
  const { config, text } = readConfig(settings.cniConfDir);
  const environment = {
    CNI_COMMAND: 'ADD',
    CNI_NETNS: `/proc/${pid}/ns/net`,
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${pod.metadata.namespace};K8S_POD_NAME=${pod.metadata.name}`,
  };
  let result: CniResult = {};
  for (const plugin of config.plugins) {
    const output = runPlugin(settings, config, plugin, sandboxId, environment, result);
    // The plugins speak CNI 0.4.0, whose result this is.
    result = JSON.parse(output) as CniResult;
  }
  mkdirSync(cacheDir, { recursive: true });
  const cache = {
    kind: 'cniCacheV1',
    containerId: sandboxId,
    config: Buffer.from(text).toString('base64'),
    ifName: 'eth0',
    networkName: config.name,
    result,
  };
  writeFileSync(cachePath(config, sandboxId), JSON.stringify(cache));
}

/** The address of a sandbox that has been given one; survives a restart of the kubelet. */
export function cachedAddress(sandboxId: string): string {
  const files = existsSync(cacheDir) ? readdirSync(cacheDir) : [];
  const file = files.find((name) => name.endsWith(`-${sandboxId}-eth0`));
  if (file === undefined) return '';
  // Written above.
  const { result } = JSON.parse(readFileSync(join(cacheDir, file), 'utf8')) as { result: CniResult };
  return result.ips?.[0]?.address.split('/')[0] ?? '';
}

/** Takes it away again: address, chains and cache. */
export function removeFromNetwork(settings: KubeletSettings, { sandboxId }: RunningPod): void {
  const { config } = readConfig(settings.cniConfDir);
  for (const plugin of [...config.plugins].reverse()) {
    runPlugin(settings, config, plugin, sandboxId, { CNI_COMMAND: 'DEL' }, undefined);
  }
  rmSync(cachePath(config, sandboxId), { force: true });
}

function readConfig(dir: string): { readonly config: NetworkConfig; readonly text: string } {
  const [file] = readdirSync(dir)
    .filter((name) => name.endsWith('.conflist'))
    .sort();
  if (file === undefined) throw new Error(`networkPlugin cni failed: no networks found in ${dir}`);
  const text = readFileSync(join(dir, file), 'utf8');
  // The lab writes this file.
  return { text, config: JSON.parse(text) as NetworkConfig };
}

function runPlugin(
  settings: KubeletSettings,
  config: NetworkConfig,
  plugin: { readonly type: string },
  sandboxId: string,
  environment: Readonly<Record<string, string>>,
  prevResult: CniResult | undefined,
): string {
  const { cniVersion, name } = config;
  const isFirst = prevResult === undefined || Object.keys(prevResult).length === 0;
  const input = JSON.stringify({ cniVersion, name, ...plugin, ...(isFirst ? {} : { prevResult }) });
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    CNI_CONTAINERID: sandboxId,
    CNI_IFNAME: 'eth0',
    CNI_PATH: settings.cniBinDir,
    ...environment,
  };
  return execFileSync(join(settings.cniBinDir, plugin.type), { input, env, encoding: 'utf8', stdio: 'pipe' });
}

function cachePath({ name }: NetworkConfig, sandboxId: string): string {
  return join(cacheDir, `${name}-${sandboxId}-eth0`);
}

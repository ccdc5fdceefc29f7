import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workloads } from './api/seed.ts';
import { LabFailure } from './failure.ts';
import { findProgram } from './host-packages.ts';
import { waitFor } from './progress.ts';
import { attempt, run } from './run.ts';
import { apiPort, bridge, paths, stateDir } from './settings.ts';

const needed = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet'];
const token = 'runbook-lab';
const dir = join(stateDir, 'control-plane');

/**
 * The folder of real Kubernetes programs for which the stand-ins give way, or undefined. All or nothing: the stand-in
 * API server is too small for a real kubelet, and the stand-in kubelet knows no TLS.
 */
export function realPrograms(): string | undefined {
  const folder = process.env.KUBE_BIN_DIR;
  if (folder === undefined || folder === '') return undefined;
  const missing = needed.filter((program) => !existsSync(join(folder, program)));
  if (missing.length > 0) throw new LabFailure(`KUBE_BIN_DIR=${folder} lacks ${missing.join(', ')}`, 5);
  return folder;
}

/** Where the API server answers. */
export function apiServerUrl(): string {
  return `${realPrograms() === undefined ? 'http' : 'https'}://${bridge.address}:${apiPort}`;
}

/** A kubeconfig for a user of the lab's API server; the real one has a certificate of its own making. */
export function kubeconfigFor(user: string): string {
  const isReal = realPrograms() !== undefined;
  return `apiVersion: v1
kind: Config
clusters:
- name: lab
  cluster:
    server: ${apiServerUrl()}${isReal ? '\n    insecure-skip-tls-verify: true' : ''}
contexts:
- name: lab
  context:
    cluster: lab
    user: ${user}
current-context: lab
users:
- name: ${user}
  user: ${isReal ? `{token: ${token}}` : '{}'}
`;
}

/** Starts the real control plane as children of this process, with empty data, and puts the first objects into it. */
export async function startControlPlane(folder: string): Promise<void> {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const key = join(dir, 'service-account.key');
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  writeFileSync(key, privateKey, { mode: 0o600 });
  writeFileSync(`${key}.pub`, publicKey);
  writeFileSync(join(dir, 'tokens.csv'), `${token},lab,lab,system:masters\n`, { mode: 0o600 });

  const etcd = 'http://127.0.0.1:2379';
  start(folder, 'etcd', [
    ...[`--data-dir=${dir}/etcd`, `--listen-client-urls=${etcd}`, `--advertise-client-urls=${etcd}`],
    '--listen-peer-urls=http://127.0.0.1:2380',
  ]);
  start(folder, 'kube-apiserver', [
    ...[`--etcd-servers=${etcd}`, `--bind-address=${bridge.address}`, `--advertise-address=${bridge.address}`],
    ...[`--secure-port=${apiPort}`, `--cert-dir=${dir}/certificates`, `--token-auth-file=${dir}/tokens.csv`],
    ...['--authorization-mode=AlwaysAllow', '--disable-admission-plugins=ServiceAccount'],
    ...['--service-account-issuer=https://lab', `--service-account-key-file=${key}.pub`],
    ...[`--service-account-signing-key-file=${key}`, '--service-cluster-ip-range=10.96.0.0/16'],
  ]);
  await waitFor('the real API server', 60_000, async () =>
    (await kubectl(['get', '--raw', '/readyz'])) ? true : undefined,
  );
  start(folder, 'kube-controller-manager', [`--kubeconfig=${paths.kubeconfig}`, '--leader-elect=false']);
  start(folder, 'kube-scheduler', [`--kubeconfig=${paths.kubeconfig}`, '--leader-elect=false']);
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: workloads() });
  await run(kubectlPath(), ['--kubeconfig', paths.kubeconfig, 'apply', '-f', '-'], { input: list });
}

function start(folder: string, program: string, args: readonly string[]): void {
  const child = spawn(join(folder, program), args, { stdio: ['ignore', 'inherit', 'inherit'] });
  // One of them less is no control plane; whoever waits for it finds the reason in the log.
  child.on('exit', (code) => {
    process.stderr.write(`${program} ended with ${code}\n`);
    process.exit(1);
  });
}

async function kubectl(args: readonly string[]): Promise<boolean> {
  return (await attempt(kubectlPath(), ['--kubeconfig', paths.kubeconfig, ...args], { timeoutMs: 5000 })).code === 0;
}

function kubectlPath(): string {
  return findProgram('kubectl') ?? 'kubectl';
}

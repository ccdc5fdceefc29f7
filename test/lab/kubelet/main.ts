import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { apiClient } from './api-client.ts';
import { criRuntime } from './cri.ts';
import { dockerRuntime } from './docker.ts';
import { parseFlags } from './flags.ts';
import { log } from './log.ts';
import { heartbeat } from './node-status.ts';
import type { Runtime } from './pods.ts';
import { type KubeletSettings, readSettings } from './settings.ts';
import { podSync } from './sync.ts';

const heartbeatMs = 2000;
const syncMs = 1000;

// A stand-in for the kubelet, for machines where there is none to install: it reads the real files and flags, refuses
// what its version refuses, asks the real runtime over its real socket and runs the real pods in it. It has no probes,
// volumes, image garbage collection or cgroup management.
void main();

async function main(): Promise<void> {
  const version = readFileSync('/opt/runbook-lab/kubelet-version', 'utf8').trim();
  const minor = Number(version.split('.')[1]);
  const args = process.argv.slice(2);
  if (args.includes('--version')) {
    process.stdout.write(`Kubernetes ${version}\n`);
    return;
  }
  const flags = parseFlags(args, minor);
  if (typeof flags === 'string') return leave(`failed to parse kubelet flag: ${flags}`);
  try {
    const settings = readSettings(flags, version, minor);
    const runtime = await connect(settings);
    await run(settings, runtime);
  } catch (error) {
    leave(error instanceof Error ? error.message : String(error));
  }
}

/** The real kubelet does not start either while its runtime is away; systemd tries again. */
async function connect(settings: KubeletSettings): Promise<Runtime> {
  if (settings.runtime.kind === 'docker') {
    const runtime = dockerRuntime(settings);
    await runtime.version().catch((error: Error) => {
      throw new Error(`failed to run Kubelet: failed to get docker version: ${error.message}`);
    });
    return runtime;
  }
  return criRuntime(settings.runtime.socket, settings.cgroupDriver).catch((error: Error) => {
    throw new Error(`failed to run Kubelet: unable to determine runtime API version: ${error.message}`);
  });
}

async function run(settings: KubeletSettings, runtime: Runtime): Promise<void> {
  createServer((request, response) => {
    const isHealth = request.url?.startsWith('/healthz') ?? false;
    response.writeHead(isHealth ? 200 : 404).end(isHealth ? 'ok' : '');
  }).listen(settings.healthzPort, '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));
  log('I', `"Started kubelet" version="${settings.version}" runtime="${runtime.scheme}"`);
  const api = apiClient(settings.apiServer);
  void forever(heartbeatMs, 'Error updating node status', heartbeat(settings, runtime, api));
  await forever(syncMs, 'Error syncing pods', podSync(settings, runtime, api));
}

async function forever(pauseMs: number, trouble: string, work: () => Promise<unknown>): Promise<never> {
  for (;;) {
    await work().catch((error: Error) => log('E', `"${trouble}" err="${error.message}"`));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

function leave(message: string): void {
  process.stderr.write(`Error: ${message}\n`);
  process.exit(1);
}

import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiServerUrl, kubeconfigFor, realPrograms } from './control-plane.ts';
import { LabFailure } from './failure.ts';
import { findProgram } from './host-packages.ts';
import { destroyCgroups, insideCgroups, servicesGroup } from './node/cgroups.ts';
import { waitFor } from './progress.ts';
import { attempt } from './run.ts';
import { paths, repoDir } from './settings.ts';
import { isRunning, type ProcessRef, processRef } from './state.ts';

/** Starts the process that serves the API and the archives, detached from this one; waits until it answers. */
export async function startServices(nodeCount: number, artifactsDir: string): Promise<ProcessRef> {
  writeFileSync(paths.kubeconfig, kubeconfigFor('lab'), { mode: 0o600 });
  const log = openSync(paths.servicesLog, 'a');
  const program = join(repoDir, 'test/lab/service-main.ts');
  const node = [process.execPath, '--import', 'tsx', program, String(nodeCount), artifactsDir];
  const [shell, args] = insideCgroups(servicesGroup, node);
  const child = spawn(shell, args, {
    cwd: repoDir,
    detached: true,
    stdio: ['ignore', log, log],
  });
  child.unref();
  const ref = child.pid === undefined ? undefined : processRef(child.pid);
  if (ref === undefined) throw new LabFailure(`the lab's services did not start: ${logTail()}`);
  await waitFor('the API server to answer', 60_000, async () => {
    if (!isRunning(ref)) throw new LabFailure(`the lab's services ended:\n${logTail()}`);
    return (await fetchText('/version')) === undefined ? undefined : true;
  });
  // Something else may have answered on that port.
  if (!isRunning(ref)) throw new LabFailure(`the lab's services ended:\n${logTail()}`);
  return ref;
}

/** Ends the services, also those that no state file remembers. */
export function stopServices(): Promise<void> {
  return destroyCgroups(servicesGroup);
}

/** Whether the node reports Ready, and the runtime that it reports. */
export async function readyRuntime(nodeName: string): Promise<string | undefined> {
  const text = await fetchText(`/api/v1/nodes/${nodeName}`);
  if (text === undefined) return undefined;
  // The shape is that of a Node, which our own API server writes.
  const { status } = JSON.parse(text) as {
    // A node that a kubelet has just registered has none yet.
    status?: { conditions?: { type: string; status: string }[]; nodeInfo?: { containerRuntimeVersion?: string } };
  };
  const isReady = status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return isReady ? (status?.nodeInfo?.containerRuntimeVersion ?? '') : undefined;
}

/** Whether every pod that has a node runs, so that what a test finds on the nodes does not depend on luck. */
export async function podsRun(): Promise<boolean> {
  const text = await fetchText('/api/v1/pods');
  if (text === undefined) return false;
  const { items } = JSON.parse(text) as { items: { status?: { phase?: string } }[] };
  return items.length > 0 && items.every(({ status }) => status?.phase === 'Running');
}

async function fetchText(path: string): Promise<string | undefined> {
  // kubectl knows how to reach a real API server; the stand-in is quicker to ask without it.
  if (realPrograms() !== undefined) {
    const args = ['--kubeconfig', paths.kubeconfig, 'get', '--raw', path];
    const { code, stdout } = await attempt(findProgram('kubectl') ?? 'kubectl', args, { timeoutMs: 5000 });
    return code === 0 ? stdout : undefined;
  }
  try {
    const response = await fetch(`${apiServerUrl()}${path}`, { signal: AbortSignal.timeout(2000) });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

function logTail(): string {
  if (!existsSync(paths.servicesLog)) return '(no log)';
  return readFileSync(paths.servicesLog, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
}

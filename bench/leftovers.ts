import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf } from './cpu-time.ts';

/** The environment variable by which the processes of a run are known, whoever their parent is by now. */
export const marker = 'RUNBOOK_BENCH_RUN';

/**
 * Ends what a run left running: Ansible's shared connections stay for a minute, and would spare the next run its logins.
 * Returns when they are gone, with the CPU time that they had used up.
 */
export async function endLeftovers(run: string): Promise<{ readonly cpuMs: number }> {
  let cpuMs = 0;
  for (const pid of await processesOf(run)) {
    cpuMs += cpuMsOf(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')) || 0;
    signal(pid, 'SIGTERM');
  }
  for (let waited = 0; waited < 100 && (await processesOf(run)).length > 0; waited++) await sleep(20);
  for (const pid of await processesOf(run)) signal(pid, 'SIGKILL');
  return { cpuMs };
}

async function processesOf(run: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1 && pid !== process.pid);
  const has = async (pid: number): Promise<boolean> =>
    (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).includes(`${marker}=${run}`);
  const found = await Promise.all(pids.map(has));
  return pids.filter((_, i) => found[i]);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

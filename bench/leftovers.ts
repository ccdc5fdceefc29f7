import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf } from './cpu-time.ts';

/** The environment variable by which the processes of a run are known, whoever their parent is by now. */
export const marker = 'RUNBOOK_BENCH_RUN';

/** What a run leaves running. */
export interface Leftovers {
  /**
   * Ends it: Ansible's shared connections stay for a minute, and would spare the next run its logins. Returns when they are
   * gone, with the CPU time that they had used up.
   */
  end(): Promise<{ readonly cpuMs: number }>;
}

/**
 * To be called before a run. Its leftovers are the processes that have its marker, and those that came to work in its folder:
 * the process of a shared connection writes its title over its environment.
 */
export async function leftoversOf(run: string, folder: string): Promise<Leftovers> {
  const there = new Set(await processesIn(folder));
  const left = async (): Promise<number[]> => {
    const [marked, inFolder] = await Promise.all([processesWith(`${marker}=${run}`), processesIn(folder)]);
    return [...new Set([...marked, ...inFolder.filter((pid) => !there.has(pid))])];
  };
  return {
    async end() {
      let cpuMs = 0;
      for (const pid of await left()) {
        cpuMs += cpuMsOf(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')) || 0;
        signal(pid, 'SIGTERM');
      }
      for (let waited = 0; waited < 100 && (await left()).length > 0; waited++) await sleep(20);
      for (const pid of await left()) signal(pid, 'SIGKILL');
      return { cpuMs };
    },
  };
}

function processesWith(variable: string): Promise<number[]> {
  return processes(async (pid) => (await readFile(`/proc/${pid}/environ`, 'utf8')).includes(variable));
}

function processesIn(folder: string): Promise<number[]> {
  return processes(async (pid) => (await readlink(`/proc/${pid}/cwd`)) === folder);
}

async function processes(is: (pid: number) => Promise<boolean>): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1 && pid !== process.pid);
  // A process that has ended is none.
  const found = await Promise.all(pids.map((pid) => is(pid).catch(() => false)));
  return pids.filter((_, i) => found[i]);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

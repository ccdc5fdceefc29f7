import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createEventBus, type HostSummary, type StampedEvent } from '../../engine/base/events.ts';
import type { RunRequest } from '../../engine/run/request.ts';
import { runPlaybook } from '../../engine/run/run.ts';
import { withTemporaryFolder } from './module-rig.ts';

/** What a playbook did, run in this process against "hosts" that all are this machine. */
export interface PlayRun {
  readonly exitCode: number;
  readonly events: readonly StampedEvent[];
  /** `host: task: outcome` in the order in which tasks ended. */
  readonly ends: readonly string[];
  readonly summary: readonly HostSummary[];
  /** The message, failure or change of a task on a host, for assertions on texts. */
  said(task: string): string;
}

/** Plays one playbook in a folder of its own, beside other files. `DIR` in all of them is that folder. */
export function playFiles<T>(
  files: Readonly<Record<string, string>>,
  body: (run: PlayRun, folder: string) => T | Promise<T>,
  options: Parameters<typeof play>[2] = {},
): Promise<T> {
  return withTemporaryFolder(async (folder) => {
    const placed = Object.entries(files).map(([name, text]) => [name, text.replaceAll('DIR', folder)] as const);
    return body(await play(folder, Object.fromEntries(placed), options), folder);
  });
}

/** An inventory of local hosts: `h1` … `hN`, or those that are named. */
export function localHosts(hosts: number | readonly string[]): string {
  const names = typeof hosts === 'number' ? Array.from({ length: hosts }, (_, i) => `h${i + 1}`) : hosts;
  return `[all:vars]\nansible_connection=local\n[web]\n${names.join('\n')}\n`;
}

/** Writes files into a folder: a playbook, its modules, templates, variables. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/**
 * Writes `files` into `folder` and plays `play.yaml` with an inventory of local hosts, `h1` and `h2` unless `files` has a
 * `hosts.ini`. Raises what `runPlaybook` raises.
 */
export async function play(
  folder: string,
  files: Readonly<Record<string, string>>,
  options: Partial<RunRequest> & { onEvent?: (event: StampedEvent) => void } = {},
): Promise<PlayRun> {
  const inventory = '[all:vars]\nansible_connection=local\n[web]\nh1\nh2\n';
  await writeFiles(folder, { 'hosts.ini': inventory, ...files });
  const events: StampedEvent[] = [];
  const bus = createEventBus(Date.now, (error) => {
    throw error;
  });
  bus.subscribe((event) => {
    events.push(event);
    options.onEvent?.(event);
  });
  const never = new AbortController().signal;
  const { exitCode } = await runPlaybook({
    playbook: join(folder, 'play.yaml'),
    inventory: [join(folder, 'hosts.ini')],
    isCheckMode: false,
    isDiff: false,
    tags: [],
    skipTags: [],
    extraVars: {},
    forks: 10,
    moduleDirectories: [],
    hostKeyChecking: 'strict',
    connection: {},
    signal: never,
    abort: never,
    ...options,
    bus,
  });
  const ended = events.flatMap((event) => (event.type === 'host-task-ended' ? [event] : []));
  const end = events.find((event) => event.type === 'run-ended');
  return {
    exitCode,
    events,
    ends: ended.map((event) => `${event.host}: ${event.task.name}: ${event.outcome}`),
    summary: end?.summary ?? [],
    said: (task) => {
      const event = ended.find((e) => e.task.name === task);
      return event?.failure?.message ?? event?.message ?? JSON.stringify(event?.changes ?? null);
    },
  };
}

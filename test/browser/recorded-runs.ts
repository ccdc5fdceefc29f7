import type { HostSummary, Outcome, TaskRef, TaskResult } from '../../engine/base/events.ts';
import { change, counts, type EventStream, eventStream, taskResult } from '../report/event-stream.ts';

/** Names of tasks of the kind that real playbooks have. */
const names = [
  ...['Gather facts', 'The node is ready', 'Disk space under /var', 'Kernel modules are loaded', 'Kernel settings'],
  ...['Packages of the runtime', 'containerd is installed', 'Configure containerd', 'Unit file of containerd'],
  ...['containerd runs', 'crictl.yaml', 'Sandbox image is there', 'Kubelet flags', 'Kubelet runs', 'Docker is stopped'],
];

/** Which hosts of a recorded run are not plainly ok. */
export interface Deviations {
  /** By the number of the host, from 0. */
  readonly [host: number]: 'drifted' | 'unknown' | 'failed' | 'unreachable';
}

/**
 * An audit of so many hosts and tasks. A drifted host has an old sandbox image, and a file that differs; hosts are named
 * n0001 and so on, or as `nameOf` says.
 */
export function recordedAudit(options: {
  readonly hosts: number;
  readonly tasks: number;
  readonly deviations: Deviations;
  readonly nameOf?: (host: number) => string;
  readonly message?: string;
  readonly isCheckMode?: boolean;
}): EventStream {
  const { deviations, nameOf = (i) => `n${String(i + 1).padStart(String(options.hosts).length, '0')}` } = options;
  const hosts = Array.from({ length: options.hosts }, (_, i) => nameOf(i));
  const stream = eventStream(hosts, { isCheckMode: options.isCheckMode ?? true, isDiff: true });
  const gone = new Set<number>();
  const totals = hosts.map(() => counts({}) as Record<Outcome, number>);
  const failures = new Map<number, HostSummary['failure'] & object>();
  for (let t = 0; t < options.tasks; t++) {
    const task = taskAt(t, options.tasks);
    if (t === Math.ceil(options.tasks / 2)) {
      stream.add({ type: 'play-started', id: 'play-2', name: 'Kubelet', hosts, taskCount: 7, isInStep: true });
    }
    stream.add({ type: 'task-started', task, hosts, isHandler: t === options.tasks - 1 });
    for (const [h, host] of hosts.entries()) {
      if (gone.has(h)) continue;
      const result = resultOf(t, deviations[h], options.message);
      const counted = totals[h];
      if (counted) counted[result.outcome]++;
      if (result.failure) {
        gone.add(h);
        failures.set(h, { ...result.failure, task: task.name });
      }
      stream.add({ type: 'host-task-ended', task, host, ...result });
    }
  }
  const ends = hosts.map((host, h): [string, Partial<HostSummary>] => {
    const total = totals[h] ?? counts({});
    const failure = failures.get(h);
    const failed = total.unreachable > 0 ? 'unreachable' : 'failed';
    const state = failure ? failed : total.changed > 0 ? 'changed' : 'ok';
    return [host, { state, counts: total, ...(failure && { failure }) }];
  });
  const kinds = Object.values(deviations);
  const differs = kinds.length > 0 ? 3 : 0;
  const exitCode = kinds.includes('failed') ? 2 : kinds.includes('unreachable') ? 4 : differs;
  return stream.end(exitCode, Object.fromEntries(ends));
}

function taskAt(t: number, of: number): TaskRef {
  const name = names[t % names.length] ?? '';
  return {
    id: `play-${t < of / 2 ? 1 : 2}/${t}`,
    name: t < names.length ? name : `${name} (${Math.floor(t / names.length) + 1})`,
    module: ['facts', 'file-template', 'systemd', 'package'][t % 4] ?? '',
    place: `playbooks/containerd.yaml:${t * 4 + 12}:7`,
  };
}

function resultOf(
  t: number,
  deviation: Deviations[number] | undefined,
  message = 'no space left on device',
): TaskResult {
  if (deviation === 'unreachable' && t === 0) {
    return failed('unreachable', 'unreachable', 'connect ETIMEDOUT 10.0.0.7:22');
  }
  if (deviation === 'failed' && t === 5) return failed('failed', 'task-failed', message);
  if (deviation === 'unknown' && t === 9) {
    return taskResult({
      outcome: 'unknown',
      message: 'may run: runtime.rc is known only when "containerd is installed" has run',
    });
  }
  if (deviation === 'drifted' && t === 7) {
    const images = change('sandbox_image', 'registry.k8s.io/pause:3.6', 'registry.k8s.io/pause:3.9');
    return taskResult({ outcome: 'changed', changes: [images, change('content', text(false), text(true))] });
  }
  if (deviation === 'drifted' && t === 9) {
    return taskResult({ outcome: 'changed', changes: [change('state', 'stopped', 'started')] });
  }
  return taskResult({ outcome: t % 8 === 6 ? 'skipped' : 'ok' });
}

function failed(outcome: Outcome, code: string, message: string): TaskResult {
  return taskResult({ outcome, failure: { code, message, hint: 'look at the host itself' } });
}

function text(isNew: boolean): string {
  const lines = Array.from({ length: 40 }, (_, i) => `  option_${i} = "value ${i}"`);
  lines[12] = `  SystemdCgroup = ${isNew}`;
  lines[20] = isNew ? '  max_concurrent_downloads = 10' : '  max_concurrent_downloads = 3';
  if (isNew) lines.splice(25, 0, '  discard_unpacked_layers = true');
  return `version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n${lines.join('\n')}\n`;
}

import { formatDuration } from '../base/clock.ts';
import { formatDiagnostic } from '../base/diagnostic.ts';
import type { RunEvent, StampedEvent, TaskRef } from '../base/events.ts';
import { outcomePaint, outcomeWord } from './outcome.ts';
import type { Paint } from './paint.ts';
import { formatResult, type HostResult, type ResultStyle, resultKey } from './result-text.ts';
import { count, nameSome, oneLine, visible, visibleEvent } from './text.ts';

/** With more hosts than this, equal results are told once and counted. */
export const manyHosts = 10;

/** What {@link createTranscript} is made with. */
export interface TranscriptOptions {
  /** Takes a block of whole lines. */
  readonly write: (block: string) => void;
  readonly paint: Paint;
  /** Leaves out what only says that all is well: another place shows it. */
  readonly isQuiet: boolean;
}

/** Hosts with an equal result of a task. */
interface Group {
  readonly result: HostResult;
  readonly hosts: string[];
  /** The first one was told in full already. */
  readonly isTold: boolean;
}

/** A task that some hosts have begun and not ended. */
interface OpenTask {
  readonly task: TaskRef;
  readonly title: string;
  readonly waiting: Set<string>;
  readonly groups: Map<string, Group>;
  /** `host outcome` of the items that were told: the task's own end would say it again. */
  readonly toldItems: Set<string>;
}

/**
 * Reduces events to the permanent lines of a run. Failures and changes are told at once; with many hosts only the first
 * of its kind, the others are counted when the task ends. What needs no look ("ok", "skipped") is always grouped.
 */
export function createTranscript(options: TranscriptOptions): (event: StampedEvent) => void {
  const { paint, isQuiet } = options;
  const open = new Map<string, OpenTask>();
  let style: ResultStyle = { paint, isCheckMode: false, isDiff: false };
  let isMany = false;
  let isInStep = true;
  // Whose lines the last ones were: hosts and leases interleave, and a line belongs to the header above it.
  let lastHeader = '';

  return (raw) => {
    // By far the most frequent events, and of no lasting interest.
    if (raw.type === 'host-task-progress' || raw.type === 'host-task-started') return;
    const event = visibleEvent(raw);
    switch (event.type) {
      case 'run-started':
        style = { paint, isCheckMode: event.isCheckMode, isDiff: event.isDiff };
        isMany = event.hosts.length > manyHosts;
        return write(runTitle(event));
      case 'warning':
        return write(paint.yellow(visible(formatDiagnostic(event.diagnostic))));
      case 'play-started':
        isInStep = event.isInStep;
        // Plays can add hosts.
        isMany ||= event.hosts.length > manyHosts;
        return section(`\n${paint.bold(`PLAY ${event.name}`)} ${paint.dim(`on ${hostNames(event.hosts)}`)}`);
      case 'batch-started':
        // Of hosts that come and go one by one, the rows below tell.
        if (event.of === 1 || (isQuiet && !isInStep)) return;
        return section(paint.bold(`BATCH ${event.number} of ${event.of}: ${nameSome(event.hosts)}`));
      case 'host-waiting':
        if (!isQuiet) write(paint.dim(`waits: [${event.host}] ${event.reason}`));
        return;
      case 'host-resumed': {
        const { replayed } = event;
        const done = `${replayed} ${replayed === 1 ? 'task was' : 'tasks were'} done before`;
        return write(paint.dim(`goes on: [${event.host}] ${event.task.name} (${done})`));
      }
      case 'task-started':
        return startTask(event);
      case 'item-ended':
        return tellItem(event);
      case 'host-task-ended':
        return endHost(event);
      case 'lease-taken':
      case 'lease-released':
      case 'lease-kept':
      case 'lease-lost':
        return tellLease(event);
      case 'lease-taking':
      case 'lease-renewed':
        return;
      case 'stopping':
        return write(paint.red(`STOPPING: ${event.reason}`));
      case 'batch-ended':
        // Out of step, the tasks of one batch are those of others, too.
        if (isInStep) closeAll();
        return;
      case 'play-ended':
      case 'run-ended':
        return closeAll();
      case 'bake-started':
        return section(paint.bold(bakeTitle(event, style.isCheckMode)));
      case 'bake-ended':
        if (event.outcome === 'failed' || event.outcome === 'interrupted')
          write(paint.red(`bake of batch ${event.number}: ${event.outcome}`));
        return;
      case 'host-connected':
      case 'step-started':
      case 'step-ended':
      case 'run-waiting':
      case 'run-wait-over':
        return;
    }
  };

  function write(block: string): void {
    options.write(`${block}\n`);
  }

  function section(title: string): void {
    lastHeader = '';
    write(title);
  }

  function startTask(event: Extract<RunEvent, { type: 'task-started' }>): void {
    const { task } = event;
    const title = `${event.isHandler ? 'HANDLER' : 'TASK'} ${task.name}`;
    // A lease begins for one host after the other; what is still open is joined.
    const known = open.get(task.id);
    if (known) for (const host of event.hosts) known.waiting.add(host);
    else {
      const waiting = new Set(event.hosts);
      open.set(task.id, { task, title, waiting, groups: new Map(), toldItems: new Set() });
    }
    // Out of step a task begins for each host anew: its title comes with what there is to tell.
    if (!isQuiet && isInStep) header(task.id, title);
  }

  function header(id: string, title: string): void {
    if (lastHeader === id) return;
    lastHeader = id;
    write(`${paint.bold(title)}`);
  }

  function taskOf({ task }: HostResult): OpenTask {
    const known = open.get(task.id);
    if (known) return known;
    const title = `TASK ${task.name}`;
    const started: OpenTask = { task, title, waiting: new Set(), groups: new Map(), toldItems: new Set() };
    open.set(task.id, started);
    return started;
  }

  function tellItem(result: HostResult): void {
    if (isUneventful(result)) return;
    const task = taskOf(result);
    task.toldItems.add(`${result.host} ${result.outcome}`);
    tell(task, result);
  }

  function endHost(result: HostResult): void {
    const task = taskOf(result);
    task.waiting.delete(result.host);
    if (!task.toldItems.has(`${result.host} ${result.outcome}`)) tell(task, result);
    // With many hosts out of step, equal results come one by one until the play's end.
    if (task.waiting.size === 0 && (isInStep || !isMany)) closeTask(result.task.id);
  }

  function tell(task: OpenTask, result: HostResult): void {
    const isCounted = isUneventful(result);
    const key = resultKey(result);
    // Out of step the end of a task is the end of the play: nobody should learn only then that a host failed.
    const isUrgent = !isInStep && result.failure !== undefined;
    const group = isUrgent ? undefined : task.groups.get(key);
    if (group) group.hosts.push(result.host);
    const isTold = !isCounted && (!group || !isMany);
    if (isCounted && !group) task.groups.set(key, { result, hosts: [result.host], isTold: false });
    if (!isCounted && isMany && !group && !isUrgent) task.groups.set(key, { result, hosts: [], isTold: true });
    if (!isTold) return;
    header(result.task.id, task.title);
    write(formatResult(result, style));
  }

  function closeAll(): void {
    for (const id of [...open.keys()]) closeTask(id);
  }

  function closeTask(id: string): void {
    const task = open.get(id);
    if (!task) return;
    open.delete(id);
    for (const group of task.groups.values()) {
      if (group.hosts.length === 0 || (isQuiet && !group.isTold)) continue;
      header(id, task.title);
      write(groupLine(group));
    }
  }

  function groupLine({ result, hosts, isTold }: Group): string {
    const { outcome } = result;
    const word = outcomePaint(outcome, paint)(`${outcomeWord(outcome, style.isCheckMode)}:`);
    const item = result.item === undefined ? '' : ` (item: ${result.item})`;
    if (isTold) return `${word} ${count(hosts.length, 'more host')}${item}, ${sameWhat(result)}`;
    const names = hosts.length > 5 ? count(hosts.length, 'host') : hosts.map((host) => `[${host}]`).join(' ');
    return `${word} ${names}${result.message ? paint.dim(` (${result.message})`) : ''}`;
  }

  function tellLease(event: Extract<RunEvent, { type: `lease-${string}` }>): void {
    // In full view of whoever reads only this: a lease that is kept has to be given back by hand or by the next run.
    const word = event.type.replace('-', ' ');
    const line = `${word}: [${event.host}] ${event.task.name}${event.reason ? `: ${event.reason}` : ''}`;
    if (event.type === 'lease-lost') write(paint.red(line));
    else write(event.type === 'lease-kept' ? paint.yellow(line) : paint.dim(line));
  }
}

function bakeTitle(
  { number, of, hosts, waitMs, tasks }: Extract<RunEvent, { type: 'bake-started' }>,
  isCheckMode: boolean,
): string {
  const wait = waitMs > 0 ? [`wait ${formatDuration(waitMs)}`] : [];
  const gate = tasks.length > 0 ? [`run ${tasks.map(oneLine).join(', ')}`] : [];
  const would = isCheckMode ? 'would ' : '';
  return `BAKE batch ${number} of ${of} (${nameSome(hosts)}): ${would}${[...wait, ...gate].join(', then ') || 'nothing'}`;
}

function isUneventful({ outcome, message, unverified }: HostResult): boolean {
  // An action that has something to say (debug) is told like a change.
  return outcome === 'skipped' || (outcome === 'ok' && !message && !unverified);
}

function sameWhat(result: HostResult): string {
  if (result.failure) return 'same error';
  return result.changes.length > 0 ? 'same changes' : 'same result';
}

function hostNames(hosts: readonly string[]): string {
  return hosts.length > 5 ? count(hosts.length, 'host') : hosts.join(', ') || 'no host';
}

function runTitle(event: Extract<RunEvent, { type: 'run-started' }>): string {
  const mode = event.isCheckMode ? ', check mode: nothing will be changed' : '';
  return `${event.playbook}: ${count(event.hosts.length, 'host')}${mode} (run ${event.runId})`;
}

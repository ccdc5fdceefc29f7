import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { systemClock } from '../base/clock.ts';
import type { Play } from '../language/playbook.ts';
import { compileTemplate } from '../language/template.ts';
import { createTransport } from '../transport/create-transport.ts';
import { createConnections } from './connections.ts';
import type { RunContext } from './context.ts';
import { createFileStore } from './controller.ts';
import { exitCodeOf } from './exit-code.ts';
import { createFactReaders } from './facts-readers.ts';
import { createHostRun, type HostRun, leaveOut, summaryOf } from './host-run.ts';
import { createJournal } from './journal.ts';
import { type LoadedRun, loadRun } from './load.ts';
import { maskedBus } from './masking.ts';
import { runPlay } from './play-run.ts';
import type { RunRequest } from './request.ts';
import { secretsOf } from './secrets.ts';
import { isSelected } from './selection.ts';
import { createVariables } from './variables.ts';

/**
 * Runs a playbook, or in check mode says what it would do. Everything that happens is told on the request's bus; the last
 * event is `run-ended`. Raises a DiagnosticsError, before anything is contacted, for mistakes in what was loaded.
 */
export async function runPlaybook(request: RunRequest): Promise<{ exitCode: number }> {
  const loaded = await loadRun(request);
  const clock = systemClock;
  const started = clock.now();
  const runId = newRunId(started);
  if (request.journalDirectory !== undefined) request.bus.subscribe(createJournal(request.journalDirectory, runId));
  const bus = maskedBus(request.bus, secretsOf(request, loaded));

  const hosts = new Map<string, HostRun>();
  const { inventory } = loaded;
  // localhost can be delegated to without being named in the inventory.
  for (const host of [...inventory.localhosts.values(), ...inventory.hosts.values()]) {
    hosts.set(host.name, createHostRun(host));
  }
  const taking = hostsInRun(loaded, hosts);
  bus.emit({
    type: 'run-started',
    runId,
    playbook: request.playbook,
    isCheckMode: request.isCheckMode,
    isDiff: request.isDiff,
    hosts: taking.map((h) => h.name),
    forks: request.forks,
  });
  for (const diagnostic of loaded.warnings) bus.emit({ type: 'warning', diagnostic });

  await using connections = createConnections(
    createTransport({
      hostKeyChecking: request.hostKeyChecking,
      warn: (message) => bus.emit({ type: 'warning', diagnostic: { severity: 'warning', message } }),
    }),
    bus,
    clock,
  );
  const limit = pLimit(request.forks);
  const store = createFileStore(cacheDirectory(), compileTemplate, request.abort);
  const context: RunContext = {
    request,
    runId,
    bus,
    clock,
    inventory,
    store,
    factReaders: createFactReaders(inventory, store, dirname(resolve(request.playbook))),
    connections,
    validator: loaded.validator,
    hosts,
    limit: (job) => limit(job),
    scopeOf: createVariables(request, inventory, hosts, runId),
    isSelected: (task) => isSelected(task, request.tags, request.skipTags),
    onceResults: new Map(),
  };
  const stop = await runPlays(context, loaded);
  const summary = taking.map(summaryOf);
  const isInterrupted = request.signal.aborted;
  const exitCode = exitCodeOf({
    isCheckMode: request.isCheckMode,
    isInterrupted,
    isStopped: stop?.isEarly === true,
    summary,
  });
  const stopReason = isInterrupted ? 'interrupted' : stop?.reason;
  bus.emit({
    type: 'run-ended',
    exitCode,
    durationMs: clock.now() - started,
    summary,
    ...(stopReason !== undefined && { stopReason }),
  });
  return { exitCode };
}

/** Runs the plays in order; says why it stopped, and whether that left something out. */
async function runPlays(
  context: RunContext,
  loaded: LoadedRun,
): Promise<{ reason: string; isEarly: boolean } | undefined> {
  const active = (play: Play): HostRun[] =>
    (loaded.hostsOf.get(play) ?? [])
      .flatMap((host) => context.hosts.get(host.name) ?? [])
      .filter((host) => host.status === 'active');
  const { plays } = loaded.playbook;
  for (const [i, play] of plays.entries()) {
    if (context.request.signal.aborted) {
      for (const left of plays.slice(i)) leaveOut(active(left));
      return undefined;
    }
    const hosts = active(play);
    if (hosts.length === 0) continue;
    const end = await runPlay(context, play, hosts);
    if (end.stopReason === undefined) continue;
    const leavesPlaysOut = plays.slice(i + 1).some((later) => active(later).length > 0);
    return { reason: end.stopReason, isEarly: end.leavesBatchesOut || leavesPlaysOut };
  }
  return undefined;
}

/** The hosts of any play, in the order in which they first take part. */
function hostsInRun(loaded: LoadedRun, hosts: ReadonlyMap<string, HostRun>): HostRun[] {
  const names = new Set<string>();
  for (const matched of loaded.hostsOf.values()) for (const host of matched) names.add(host.name);
  return [...names].flatMap((name) => hosts.get(name) ?? []);
}

/** Sortable by time, and unique when two runs start in the same second: `20261121T051500Z-3fa9`. */
function newRunId(now: number): string {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  return `${time}-${randomBytes(2).toString('hex')}`;
}

function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(base, 'runbook', 'downloads');
}

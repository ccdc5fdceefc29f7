import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { systemClock } from '../base/clock.ts';
import { createMasker } from '../base/masker.ts';
import { createGrowingInventory } from '../inventory/growth.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { compileTemplate } from '../language/template.ts';
import { createTransport } from '../transport/create-transport.ts';
import { createConnections } from './connections.ts';
import type { RunContext } from './context.ts';
import { createFileStore } from './controller.ts';
import { exitCodeOf } from './exit-code.ts';
import { createFactReaders } from './facts/readers.ts';
import { createHostRun, type HostRun, summaryOf } from './host-run.ts';
import { createInputCheck } from './inputs-check.ts';
import { noRecord } from './journal/record.ts';
import { createJournal } from './journal.ts';
import { type LoadedRun, loadRun } from './load.ts';
import { maskedBus } from './masking.ts';
import { createOnceResults } from './once.ts';
import { runPlays } from './plays-run.ts';
import type { RunRequest } from './request.ts';
import { createPasswordLearner, learnPasswords } from './secrets.ts';
import { isSelected } from './selection.ts';
import { createVariables } from './variables.ts';

/**
 * Runs a playbook, or in check mode says what it would do. Everything that happens is told on the request's bus; the last
 * event is `run-ended`. Raises a DiagnosticsError, before anything is contacted, for mistakes in what was loaded.
 */
export async function runPlaybook(asked: RunRequest): Promise<{ exitCode: number }> {
  const loaded = await loadRun(asked);
  const request: RunRequest = { ...asked, opener: loaded.read.opener, extraVars: loaded.extraVars };
  const clock = request.clock ?? systemClock;
  const started = clock.now();
  const runId = newRunId(started);
  if (request.journalDirectory !== undefined) request.bus.subscribe(createJournal(request.journalDirectory, runId));
  const masker = request.masker ?? createMasker();
  learnPasswords(masker, request, loaded);
  const bus = maskedBus(request.bus, masker);

  const hosts = new Map<string, HostRun>();
  takeIn(hosts, loaded.inventory);
  const learnMore = createPasswordLearner(masker, request);
  const inventory = createGrowingInventory(loaded.inventory, loaded.inventoryParts, (grown) => {
    takeIn(hosts, grown);
    learnMore(grown);
  });
  const taking = hostsInRun(loaded, hosts);
  bus.emit({
    type: 'run-started',
    runId,
    playbook: request.playbook,
    isCheckMode: request.isCheckMode,
    isDiff: request.isDiff,
    hosts: [...taking].map((h) => h.name),
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
  const store = createFileStore(cacheDirectory(), compileTemplate, request.abort, request.opener);
  const context: RunContext = {
    request,
    runId,
    bus,
    clock,
    inventory,
    store,
    factReaders: createFactReaders(loaded.inventory, store, dirname(resolve(request.playbook))),
    connections,
    validator: loaded.validator,
    hosts,
    limit: (job) => limit(job),
    scopeOf: createVariables(request, inventory, hosts, runId, loaded.answers),
    isSelected: (tagged) => isSelected(tagged, request.tags, request.skipTags),
    checkInputs: createInputCheck(loaded.validator),
    record: noRecord,
    once: createOnceResults(),
    throttles: new Map(),
    refs: new WeakMap(),
    names: new Map(),
  };
  const stop = await runPlays(context, loaded, (host) => taking.add(host));
  const summary = [...taking].map(summaryOf);
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

/** Takes in the hosts of an inventory, new ones and what has changed of others. */
function takeIn(hosts: Map<string, HostRun>, inventory: Inventory): void {
  // localhost can be delegated to without being named in the inventory.
  for (const host of [...inventory.localhosts.values(), ...inventory.hosts.values()]) {
    const known = hosts.get(host.name);
    if (known) known.host = host;
    else hosts.set(host.name, createHostRun(host));
  }
}

/** The hosts of any play, in the order in which they first take part. */
function hostsInRun(loaded: LoadedRun, hosts: ReadonlyMap<string, HostRun>): Set<HostRun> {
  return new Set([...loaded.hostsOf.values()].flat().flatMap((host) => hosts.get(host.name) ?? []));
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

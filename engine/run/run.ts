import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { systemClock } from '../base/clock.ts';
import { errorCatalogue, fileProblem } from '../base/errors.ts';
import { createMasker } from '../base/masker.ts';
import { checkOpenFiles, openFilesLimit } from '../base/open-files.ts';
import { createGrowingInventory } from '../inventory/growth.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { compileTemplate } from '../language/template.ts';
import { createTransport } from '../transport/create-transport.ts';
import { beginJournal } from './begin-journal.ts';
import { createConnections } from './connections.ts';
import type { RunContext } from './context.ts';
import { createFileStore } from './controller.ts';
import { exitCodeOf } from './exit-code.ts';
import { createFactReaders } from './facts/readers.ts';
import { createHostRun, type HostRun, leaveOut, summaryOf } from './host-run.ts';
import { createInputCheck } from './inputs-check.ts';
import { noRecord, type RunRecord } from './journal/record.ts';
import type { Journal } from './journal.ts';
import { type LoadedRun, loadRun } from './load.ts';
import { maskedBus } from './masking.ts';
import { createOnceResults } from './once.ts';
import { openGate } from './plan-gate.ts';
import { failUndone } from './plan-undone.ts';
import { runPlays } from './plays-run.ts';
import type { RunRequest } from './request.ts';
import { type RunKey, readRunKey, runKeyOf } from './run-key.ts';
import { createPasswordLearner, learnPasswords } from './secrets.ts';
import { isSelected } from './selection.ts';
import { createVariables } from './variables.ts';

/**
 * Runs a playbook, or in check mode says what it would do. Everything that happens is told on the request's bus; the last
 * event is `run-ended`. Raises a DiagnosticsError, before anything is contacted, for mistakes in what was loaded.
 */
export async function runPlaybook(asked: RunRequest): Promise<{ exitCode: number }> {
  const loaded = await loadRun(asked);
  if (!asked.instead) checkOpenFiles(countHosts(loaded), openFilesLimit());
  const doubts = (await asked.plan?.opened({ request: asked, loaded })) ?? [];
  const clock = asked.clock ?? systemClock;
  const started = clock.now();
  const runId = asked.resume?.runId ?? newRunId(started);
  const masker = asked.masker ?? createMasker();
  const reading: RunRequest = { ...asked, opener: loaded.read.opener, extraVars: loaded.extraVars };
  learnPasswords(masker, reading, loaded);
  using journal = await beginJournal({ runId, request: reading, loaded, masker, clock, hosts: countHosts(loaded) });
  const request = journal ? withJournal(reading, journal) : reading;
  const record = journal?.record ?? noRecord;
  const bus = maskedBus(request.bus, masker);

  const hosts = new Map<string, HostRun>();
  takeIn(hosts, loaded.inventory, record, () => clock.now());
  const learnMore = createPasswordLearner(masker, request);
  const inventory = createGrowingInventory(loaded.inventory, loaded.inventoryParts, (grown) => {
    takeIn(hosts, grown, record, () => clock.now());
    learnMore(grown);
  });
  const taking = hostsInRun(loaded, hosts);
  bus.subscribe((event) => {
    // It may have restarted meanwhile.
    if (event.type === 'host-connected') hosts.get(event.host)?.answers.forget();
  });
  // Standing by: neither failed nor in the way of others.
  for (const name of asked.plan?.leftOut.keys() ?? [])
    leaveOut([...hosts.values()].filter((host) => host.name === name));
  bus.emit({
    type: 'run-started',
    runId,
    playbook: request.playbook,
    isCheckMode: request.isCheckMode,
    isDiff: request.isDiff,
    hosts: [...taking].map((h) => h.name),
    forks: request.forks,
    ...(asked.resume && { isResumed: true }),
  });
  for (const diagnostic of loaded.warnings) bus.emit({ type: 'warning', diagnostic });
  for (const message of doubts) bus.emit({ type: 'warning', diagnostic: { severity: 'warning', message } });

  await using connections = createConnections(
    createTransport({
      hostKeyChecking: request.hostKeyChecking,
      warn: (message) => bus.emit({ type: 'warning', diagnostic: { severity: 'warning', message } }),
    }),
    bus,
    clock,
    {
      runId,
      reconnectMs: request.connection.reconnectMs ?? defaultReconnectMs,
      durable: record.durable,
    },
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
    key: keyOf(request),
    record,
    plan: request.plan?.gate ?? openGate,
    once: createOnceResults(),
    throttles: new Map(),
    refs: new WeakMap(),
    names: new Map(),
  };
  const stop = request.instead
    ? await request.instead(context, loaded)
    : await runPlays(context, loaded, (host) => taking.add(host));
  if (request.plan && !stop && !asked.signal.aborted) failUndone(context, request.plan, [...taking]);
  const summary = [...taking].map(summaryOf);
  const isInterrupted = asked.signal.aborted;
  const problem = journal?.broken.aborted ? fileProblem(journal.broken.reason) : undefined;
  const exitCode =
    problem === undefined
      ? exitCodeOf({ isCheckMode: request.isCheckMode, isInterrupted, isStopped: stop?.isEarly === true, summary })
      : errorCatalogue['journal-failed'].exitCode;
  const stopReason =
    problem === undefined
      ? isInterrupted
        ? 'interrupted'
        : stop?.reason
      : `the record of the run cannot be written: ${problem}`;
  journal?.end({ exitCode, summary, ...(stopReason !== undefined && { stopReason }) });
  bus.emit({
    type: 'run-ended',
    exitCode,
    durationMs: clock.now() - started,
    summary,
    ...(stopReason !== undefined && { stopReason }),
    ...(stop?.budget && !isInterrupted && { budget: stop.budget }),
  });
  return { exitCode };
}

/** A request whose events go to the journal, and whose run stops when nothing can be written to it any more. */
function withJournal(request: RunRequest, journal: Journal): RunRequest {
  request.bus.subscribe(journal.events);
  const signal = AbortSignal.any([request.signal, journal.broken]);
  // Every host listens; Node takes more than ten for a leak.
  setMaxListeners(0, signal);
  return { ...request, signal };
}

function countHosts({ hostsOf }: LoadedRun): number {
  return new Set([...hostsOf.values()].flat()).size;
}

/** How long a lost link is waited for: a switch that restarts, a host that was moved. */
const defaultReconnectMs = 120_000;

/** Takes in the hosts of an inventory, new ones and what has changed of others. */
function takeIn(hosts: Map<string, HostRun>, inventory: Inventory, record: RunRecord, now: () => number): void {
  // localhost can be delegated to without being named in the inventory.
  for (const host of [...inventory.localhosts.values(), ...inventory.hosts.values()]) {
    const known = hosts.get(host.name);
    if (known) known.host = host;
    else hosts.set(host.name, createHostRun(host, record.of(host.name), now));
  }
}

/** The hosts of any play, in the order in which they first take part. */
function hostsInRun(loaded: LoadedRun, hosts: ReadonlyMap<string, HostRun>): Set<HostRun> {
  return new Set([...loaded.hostsOf.values()].flat().flatMap((host) => hosts.get(host.name) ?? []));
}

/** The controller's own key where somebody compares later, or another process does. */
function keyOf({ plan, journalDirectory, isCheckMode }: RunRequest): RunKey {
  if (plan) return plan.key;
  const isResumable = journalDirectory !== undefined && !isCheckMode;
  return isResumable ? readRunKey(journalDirectory) : runKeyOf(randomBytes(32));
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

import { createHash } from 'node:crypto';
import { type Clock, formatDuration, longestTimerMs } from '../base/clock.ts';
import { RunbookError } from '../base/errors.ts';
import type { ChangeView, EventBus, WaitView } from '../base/events.ts';
import { createTelling } from '../base/telling.ts';
import type { Task } from '../language/playbook.ts';
import type { Scope } from '../language/value.ts';
import { becomeFor, connectionFor, delegateOf } from './addressing.ts';
import { type Coming, type ComingTask, type OpenInclude, turnsAfter } from './ahead/coming.ts';
import { forgetAnswers } from './ahead/forget.ts';
import { askerOf, askingAhead } from './ahead/questions.ts';
import { type AttemptContext, type AttemptResult, attemptAction, attemptResource, changeViews } from './attempt.ts';
import { type RunContext, refOf } from './context.ts';
import { controllerFor, tellingDownloads } from './controller.ts';
import { refuseIfCutOff } from './cut-off.ts';
import { createEffectIds, type EffectIds } from './effect-ids.ts';
import { distrustFacts } from './facts/state.ts';
import type { HostRun } from './host-run.ts';
import { tellerOf, tellingOf } from './host-telling.ts';
import { taskKeyOf } from './journal/task-key.ts';
import { shown } from './no-log.ts';
import type { TaskGate } from './plan-gate.ts';
import { delegatedPredictions } from './predicted.ts';
import type { Trail } from './replay.ts';
import { createStepRunner, type StepRunner } from './step-runner.ts';
import type { Place } from './surroundings.ts';
import { environmentOf, renderArguments } from './task-arguments.ts';

/** A task that says nothing else has this long on one host. */
const defaultTaskTimeoutMs = 60 * 60_000;

/** What a task on a host needs besides the run: its play, and what to do before its first effect. */
export interface TaskSurroundings extends Place {
  /** The plan that is made or applied. */
  readonly gate: TaskGate;
  /** See {@link AttemptContext.beforeEffect}. Rejects when a lease around the task cannot be taken. */
  readonly beforeEffect: () => Promise<boolean>;
  /** Called before each step of an effect. Raises a failure when a lease around the task was lost meanwhile. */
  readonly beforeStep: () => void;
  /** What the task does on the controller is noted here. */
  readonly trail: Trail;
  /** The number of the loop's turn, as a text; empty where there is no loop. */
  readonly item: string;
  /** See `Item.identity` of `loop.ts`; absent where there is no loop. */
  readonly identity?: string;
  /** What follows the task. */
  readonly coming?: Coming;
}

/** How steps are run, where it is not as usual. */
export interface StepOptions {
  /** Aborts what is running. The second Ctrl-C, unless it is given. */
  readonly signal?: AbortSignal;
  readonly beforeStep?: () => void;
  /** Over a connection of their own, so that no task waits for them, and without events. */
  readonly isInBackground?: boolean;
  /** Ids of effects that a later process of the run can make again, which are recorded; like no others unless they are given. */
  readonly effects?: EffectIds;
  /** What follows the task, which is asked for with it. */
  readonly ahead?: { readonly askedBy: string; readonly coming: (open: OpenInclude) => Iterable<ComingTask> };
}

/** A task on a host, ready to be tried, if need be several times. */
export interface Attempt {
  readonly make: () => Promise<AttemptResult>;
  /** When the task has to be done, all attempts together: milliseconds since the epoch. See {@link StepRunner.deadline}. */
  readonly deadline: () => number;
  /** An effect was started by one of the attempts. */
  readonly hasEffects: () => boolean;
  /** The host may be another now: facts that the module's changes touch are not to be trusted. */
  readonly invalidateFacts: () => void;
}

/** Renders the arguments once and gives what makes an attempt. */
export function prepareAttempt(
  context: RunContext,
  task: Task,
  host: HostRun,
  surroundings: TaskSurroundings,
  scope: Scope,
): Attempt {
  const args = renderArguments(context, task, scope);
  const delegate = delegateOf(task, scope);
  const on = delegate === undefined ? host : hostNamed(context, delegate);
  const effects = effectIdsFor(context, task, host, surroundings);
  const { trail, item, identity = '', turn } = surroundings;
  const steps = stepRunnerFor(context, task, host, surroundings, scope, {
    beforeStep: surroundings.beforeStep,
    effects,
    ahead: {
      askedBy: askerOf(task, turn, item),
      coming: (open) => turnsAfter({ task, turn, item }, surroundings.coming, open),
    },
  });
  const deadline = (): number => steps.deadline;
  const key = taskKeyOf(task, turn);
  // Of a process of this run that did not come to the task's end.
  const begun = host.record.begunEffects(key, identity);
  let attempts = host.record.attemptsMade(key, identity);
  let hadEffects = begun !== undefined;
  const hasEffects = (): boolean => hadEffects;
  const attemptContext: AttemptContext = {
    isCheckMode: context.request.isCheckMode,
    steps,
    controller: tellingDownloads(
      controllerFor(context.store, host.name, task.folders, scope),
      tellingOf(context, task, host.name, surroundings.turn),
      context.clock,
    ),
    areValuesRead: readsResult(task),
    predicted: on === host ? host.predicted : delegatedPredictions(on.predicted, host.predicted),
    id: createHash('sha256').update(`${context.runId} ${task.id} ${host.name} ${identity}`).digest('hex').slice(0, 12),
    beforeEffect: surroundings.beforeEffect,
    // What is found after an effect is what the effect left.
    onFound: (diff) => hadEffects || surroundings.gate.found(diff, on.name),
    onEffect: (changes) => {
      host.record.effectStarting(key, identity, changeViews(changes));
      hadEffects = true;
    },
  };
  const invalidateFacts = (): void => {
    trail.distrusted.add(on.name);
    distrustFacts(on, task, context.request.isCheckMode);
  };
  const { module } = task;
  if (module.kind === 'resource') {
    const make = async (): Promise<AttemptResult> => {
      // What the killed process started may still be running: the host is asked how it is when that has ended.
      const isFirst = attempts === host.record.attemptsMade(key, identity);
      const started = begun && isFirst ? await steps.settle() : undefined;
      effects.startAttempt(++attempts);
      const goingOn = { ...attemptContext, ...(started && { started }) };
      return withBegun(await attemptResource(module, args, goingOn), begun);
    };
    return { make, hasEffects, invalidateFacts, deadline };
  }
  if (module.kind === 'lease')
    throw new RunbookError('task-failed', `${module.name} is a lease: put it under lease: of a block`);
  const action = {
    host: host.name,
    isCheckMode: context.request.isCheckMode,
    clock: context.clock,
    probe: steps.ask,
    wait: steps.wait,
    tell: tellerOf(context, task, host.name, surroundings.turn, delegate),
  };
  const make = async (): Promise<AttemptResult> => {
    const result = await untilDeadline(context, task, deadline, (signal) =>
      attemptAction(module, args, {
        ...attemptContext,
        host: host.name,
        clock: context.clock,
        action: {
          ...action,
          signal,
          sleep: (ms, waitingFor) => {
            forgetAnswers(context, { task, host });
            return sleepTelling(action, ms, waitingFor, signal);
          },
        },
      }),
    );
    const owner = task.delegateFacts ? on : host;
    Object.assign(owner.data, result.facts);
    if (result.facts) trail.set.push({ host: owner.name, values: result.facts });
    if (result.adds) await context.inventory.add(result.adds);
    if (result.adds) trail.adds.push(result.adds);
    return result;
  };
  return { make, hasEffects, invalidateFacts, deadline };
}

/** What a former process of the run began is a change of this run, though nothing may be left to do. */
function withBegun(result: AttemptResult, begun: readonly ChangeView[] | undefined): AttemptResult {
  if (!begun) return result;
  const known = new Set(result.changes.map(({ path }) => path));
  const before = begun.filter(({ path }) => !known.has(path));
  return { ...result, outcome: 'changed', changes: [...before, ...result.changes] };
}

/** A task that began several times on a host has other ids each time; one that a killed process began has the same. */
function effectIdsFor(
  context: RunContext,
  task: Task,
  host: HostRun,
  { turn, identity = '' }: TaskSurroundings,
): EffectIds {
  if (!context.record.isKept) return createEffectIds();
  return createEffectIds(() => {
    const key = taskKeyOf(task, turn);
    const generation = String(host.record.generation(key));
    return [context.runId, key, generation, host.name, identity];
  });
}

async function sleepTelling(
  { clock, tell }: { readonly clock: Clock; readonly tell: (wait: WaitView) => void },
  ms: number,
  waitingFor: string,
  signal: AbortSignal,
): Promise<void> {
  const sinceMs = clock.now();
  tell({ text: `waiting for ${waitingFor}`, sinceMs, deadlineMs: sinceMs + ms });
  await clock.sleep(ms, signal);
}

function readsResult({ register, until, failedWhen, changedWhen }: Task): boolean {
  return register !== undefined || until.length > 0 || failedWhen !== undefined || changedWhen !== undefined;
}

/** Runs what waits on the controller until the task's own `timeout`, if it has one: a long `pause` needs no other. */
async function untilDeadline<T>(
  context: RunContext,
  { timeoutMs }: Task,
  deadline: () => number,
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { abort } = context.request;
  if (timeoutMs === undefined) return body(abort);
  const expired = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expire = (): void => {
    const leftMs = deadline() - context.clock.now();
    if (leftMs <= 0) expired.abort(new Error('its time is up'));
    else timer = setTimeout(expire, Math.min(leftMs, longestTimerMs));
  };
  expire();
  try {
    return await body(AbortSignal.any([abort, expired.signal]));
  } catch (error) {
    if (!expired.signal.aborted || abort.aborted) throw error;
    throw new RunbookError('timeout', `did not end within ${formatDuration(timeoutMs)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** The steps of a task on a host (or where it is delegated to), with its events, environment and deadline. */
export function stepRunnerFor(
  context: RunContext,
  task: Task,
  host: HostRun,
  { play, turn }: Place,
  scope: Scope,
  { signal = context.request.abort, beforeStep, isInBackground = false, effects, ahead }: StepOptions = {},
): StepRunner {
  const delegate = delegateOf(task, scope);
  const on = delegate === undefined ? host : hostNamed(context, delegate);
  const where = {
    task: refOf(context, task, turn),
    host: host.name,
    ...(delegate !== undefined && { delegatedTo: delegate }),
  };
  const onActing = (): void => forgetAnswers(context, { task, host, on, scope });
  const asking = ahead && on === host ? askingAhead(context, host, play, ahead.coming) : undefined;
  const bus = isInBackground ? silentBus : context.bus;
  const tell = isInBackground ? () => undefined : tellerOf(context, task, host.name, turn, delegate);
  const telling = createTelling(context.clock, tell);
  return createStepRunner({
    connect: async () => {
      if (on === host) refuseIfCutOff(host);
      const ownScope = on === host ? scope : undefined;
      return telling({ text: 'connecting' }, (onWait) =>
        connectionFor(context, on, play, { scope: ownScope, isInBackground, onWait }),
      );
    },
    become: becomeFor(context, task, on, play, scope),
    environment: environmentOf(task, scope),
    deadline: context.clock.now() + (task.timeoutMs ?? defaultTaskTimeoutMs),
    clock: context.clock,
    signal,
    ...(beforeStep && { beforeStep }),
    ...(asking && ahead && { ahead: { ...asking, askedBy: ahead.askedBy } }),
    onActing,
    effects: effects ?? createEffectIds(),
    ...(effects && context.record.isKept && { record: host.record, durable: context.record.durable }),
    // What is done on a host for another one leaves it as it was, as a rule: controllers and API servers serve many runs.
    // The connection of the tasks has the lock.
    lock: on === host && !isInBackground ? context.connections.lock : undefined,
    onStepStarted: (step, deadlineMs, effect) =>
      bus.emit({ type: 'step-started', ...where, ...effect, step: shown(task, step), deadlineMs }),
    onStepEnded: (step, rc, durationMs, effect) =>
      bus.emit({ type: 'step-ended', ...where, ...effect, step: shown(task, step), rc, durationMs }),
    onWait: tell,
    telling,
  });
}

const silentBus: Pick<EventBus, 'emit'> = { emit: () => undefined };

function hostNamed(context: RunContext, name: string): HostRun {
  const host = context.hosts.get(name);
  if (host) return host;
  throw new RunbookError('task-failed', `delegate_to: the inventory has no host "${name}"`);
}

import { type Clock, formatDuration } from '../base/clock.ts';
import { errorMessage, hintOf, RunbookError, StillOpenError, unreachableCase } from '../base/errors.ts';
import type { EffectView, FailureView, WaitView } from '../base/events.ts';
import type { Telling } from '../base/telling.ts';
import { failure, type Probe } from '../module/contract.ts';
import type { ExecStep, PauseStep, PutStep, Step, StepResult, Wait } from '../module/step.ts';
import type {
  Become,
  Connection,
  EffectIdentity,
  Environment,
  HostLock,
  RunOptions,
  ScriptBehind,
} from '../transport/transport.ts';
import { type AskerParts, createAsker, defaultProbeTimeoutMs } from './ahead/asker.ts';
import type { EffectIds } from './effect-ids.ts';
import { bootOf } from './host-link.ts';
import type { HostRecord } from './journal/record.ts';

/** What a step runner needs to know of the task that it works for. */
export interface StepEnvironment {
  /** Connects on first use: an action that only computes contacts nobody. */
  readonly connect: () => Promise<Connection>;
  readonly become: Become | undefined;
  readonly environment: Environment;
  /** When the task has to be done, in milliseconds since the epoch. */
  readonly deadline: number;
  readonly clock: Clock;
  /** Aborts what is running. */
  readonly signal: AbortSignal;
  /** Called before every effect; what it raises is the step's failure, and nothing of the step is run. */
  readonly beforeStep?: () => void;
  /** What its effects are called on the host. */
  readonly effects: EffectIds;
  /** Where it is written in which boot of the host they are started, so that after another one none is started again. */
  readonly record?: Pick<HostRecord, 'stepStarting' | 'bootOf'>;
  /** Resolves when what was told of the run is on disk, which it has to be before an effect. */
  readonly durable?: () => Promise<void>;
  /** Asks ahead for coming tasks; absent where each question goes by itself. */
  readonly ahead?: AskerParts['ahead'];
  /** The host, or another one, may be different from here on. */
  readonly onActing: () => void;
  /** Who must hold the host before an effect is started there; undefined where nobody has to. */
  readonly lock: HostLock | undefined;
  readonly onStepStarted: (step: string, deadlineMs: number, effect: EffectView) => void;
  readonly onStepEnded: (
    step: string,
    rc: number,
    durationMs: number,
    effect: EffectView & { readonly isOpen?: true },
  ) => void;
  readonly onWait: (wait: WaitView) => void;
  /** The same for what may be over soon. */
  readonly telling: Telling;
}

/** Asks hosts, and runs effects on them. */
export interface StepRunner {
  /**
   * Runs a probe and parses its answer, which may have come ahead. Of one that came so long ago that it is not to be acted
   * upon `isEnough` says whether it is enough; otherwise, and where it cannot be parsed, the host is asked again.
   */
  ask<T>(probe: Probe<T>, isEnough?: (dated: T) => boolean): Promise<T>;
  /** When the task's time is up, in milliseconds since the epoch: later where others took of it. */
  readonly deadline: number;
  /** Asks until it is so; raises `timeout` with what was waited for, how long, and the last reason. */
  wait<T>(wait: Wait<T>): Promise<T>;
  /**
   * Runs the steps that a module yields; a step that fails is thrown into the generator. What the generator yields after
   * an abort or the deadline is clean-up, and gets time of its own. `then` is what is asked next: it is sent with each effect
   * that does not say `moreFollows`.
   */
  drive<R>(steps: Generator<Step, R, StepResult>, then?: Probe<unknown>): Promise<R>;
  /**
   * The same with effects that were started before, to learn how they ended; no other one is started. Undefined when the
   * module comes to an effect whose id is not among `started`.
   */
  follow<R>(steps: Generator<Step, R, StepResult>, started: ReadonlySet<string>): Promise<R | undefined>;
  /**
   * Waits until what a former process of the run started for this task has ended on the host, whichever attempt it was.
   * Gives the ids of those effects that the host knows: none when none was started, or when it restarted since.
   */
  settle(): Promise<ReadonlySet<string>>;
}

/** What a module has for undoing what it did, once it was aborted or its time was up. */
const cleanUpMs = 5 * 60_000;

/** Makes a step runner for one task on one host. */
export function createStepRunner(env: StepEnvironment): StepRunner {
  let ownDeadline = env.deadline;
  let deadline = ownDeadline;
  let signal: AbortSignal | undefined = env.signal;
  const remaining = (): number => Math.max(1, deadline - env.clock.now());

  function allowCleanUp(): void {
    const isOver = signal !== undefined && (signal.aborted || env.clock.now() >= deadline);
    if (!isOver) return;
    deadline = env.clock.now() + cleanUpMs;
    signal = undefined;
  }

  function optionsFor(timeoutMs: number, extra: Environment = {}): RunOptions {
    return {
      become: env.become,
      environment: { ...env.environment, ...extra },
      timeoutMs: Math.min(timeoutMs, remaining()),
      signal,
      onWait: env.onWait,
    };
  }

  function onOthers(ms: number): void {
    ownDeadline += ms;
    deadline += ms;
  }

  const { connect, become, environment, ahead } = env;
  const asker = createAsker({ connect, become, environment, ahead, optionsFor, timeLeftMs: remaining, onOthers });

  async function settle(): Promise<ReadonlySet<string>> {
    const connection = await env.connect();
    const wait = { text: 'waiting for the end of what was started before', deadlineMs: deadline };
    const known = await env.telling(wait, () => connection.settle(env.effects.prefix, optionsFor(remaining())));
    env.onActing();
    return new Set(known.keys());
  }

  async function ask<T>(probe: Probe<T>, isEnough?: (dated: T) => boolean): Promise<T> {
    await env.connect();
    const timeoutMs = Math.min(probe.timeoutMs ?? defaultProbeTimeoutMs, remaining());
    const wait = { text: 'waiting for the answer to a probe', deadlineMs: env.clock.now() + timeoutMs };
    return env.telling(wait, () => asker.ask(probe, isEnough));
  }

  async function wait<T>(wait: Wait<T>): Promise<T> {
    env.onActing();
    const started = env.clock.now();
    const until = Math.min(started + wait.timeoutMs, deadline);
    const told = { text: `waiting for ${wait.what}`, deadlineMs: until };
    return env.telling(told, (change) =>
      askUntil(wait, started, until, (reason) => change({ ...told, text: `${told.text} (${reason})` })),
    );
  }

  async function askUntil<T>(
    wait: Wait<T>,
    started: number,
    until: number,
    onReason: (reason: string) => void,
  ): Promise<T> {
    const needed = wait.consecutive ?? 1;
    for (let inRow = 0, reason = 'not asked yet'; ; ) {
      const state = await asker.askAnew(wait.probe);
      const answer = wait.done(state);
      if (answer === true) {
        inRow++;
        if (inRow >= needed) return state;
        reason = `true ${inRow} of ${needed} times`;
      } else {
        inRow = 0;
        reason = answer;
      }
      const now = env.clock.now();
      if (now >= until) {
        const waited = formatDuration(now - started);
        throw new RunbookError('timeout', `waited ${waited} for ${wait.what}: ${reason}`);
      }
      onReason(reason);
      await env.clock.sleep(Math.min(wait.intervalMs ?? 1000, until - now), signal);
    }
  }

  async function exec(step: ExecStep, identity: EffectIdentity, behind: ScriptBehind | undefined): Promise<StepResult> {
    const connection = await env.connect();
    const { stdin } = step;
    const result = await connection.effect(step.script, {
      ...optionsFor(step.timeoutMs ?? remaining(), step.environment),
      ...identity,
      ...(stdin !== undefined && { stdin }),
      behind,
    });
    if (step.okCodes !== 'any' && !step.okCodes.includes(result.rc)) {
      const details = result.stderr.trim() === '' ? result.stdout : result.stderr;
      throw failure(`${describe(step)}: exit status ${result.rc}`, tail(details));
    }
    return result;
  }

  async function put(step: PutStep, effect: EffectIdentity, behind: ScriptBehind | undefined): Promise<StepResult> {
    const connection = await env.connect();
    const { path, content, kind: _kind, moreFollows: _more, ...options } = step;
    const done = await connection.put(path, content, {
      ...options,
      become: env.become,
      timeoutMs: remaining(),
      signal,
      onWait: env.onWait,
      effect,
      behind,
    });
    return { rc: 0, stdout: done.backup ?? '', stderr: '' };
  }

  async function pause({ ms, waitingFor, sinceMs, deadlineMs }: PauseStep): Promise<void> {
    const now = env.clock.now();
    if (now >= deadline) {
      throw new RunbookError('timeout', `waited ${formatDuration(now - sinceMs)} for ${waitingFor}: no time is left`);
    }
    env.onWait({ text: `waiting for ${waitingFor}`, sinceMs, deadlineMs: Math.min(deadlineMs, deadline) });
    await env.clock.sleep(Math.min(ms, remaining()), signal);
  }

  /** `startedIn`: the boot in which a former process of the run started the effect. */
  async function recordBoot(id: string): Promise<{ boot: string | undefined; startedIn: string | undefined }> {
    const connection = await env.connect();
    if (!env.record) return { boot: connection.boot, startedIn: undefined };
    const boot = await bootOf(connection, { become: env.become, signal });
    const startedIn = env.record.bootOf(id);
    if (startedIn === undefined && boot !== undefined) env.record.stepStarting(id, boot);
    return { boot, startedIn };
  }

  /** Undefined for an effect that may not be started. */
  async function perform(step: Step, { mayStart, then }: Driving): Promise<StepResult | undefined> {
    env.onActing();
    await asker.drop();
    if (step.kind === 'wait' || step.kind === 'pause') {
      await (step.kind === 'wait' ? wait(step.wait) : pause(step));
      return { rc: 0, stdout: '', stderr: '' };
    }
    env.beforeStep?.();
    const text = describe(step);
    const id = env.effects.next(step.kind === 'exec' ? step.script.text : `put ${step.path} ${step.sha256}`);
    if (!mayStart(id)) return undefined;
    // Before the effect is announced: whoever resumes the run has to know in which boot of the host it was begun.
    const { boot, startedIn } = await recordBoot(id);
    const effect: EffectView = { effect: id, ...(boot !== undefined && { boot }) };
    const identity: EffectIdentity = { id, lock: env.lock, startedIn };
    const started = env.clock.now();
    const timeoutMs = step.kind === 'exec' ? (step.timeoutMs ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    env.onStepStarted(text, started + Math.min(timeoutMs, remaining()), effect);
    let rc = -1;
    let isOpen: true | undefined;
    try {
      const [behind] = await Promise.all([step.moreFollows ? undefined : asker.behind(then), env.durable?.()]);
      // The disk may have taken its time, and a lease may be lost since.
      env.beforeStep?.();
      const result = step.kind === 'exec' ? await exec(step, identity, behind) : await put(step, identity, behind);
      rc = result.rc;
      return result;
    } catch (error) {
      if (error instanceof StillOpenError || (error instanceof RunbookError && error.code === 'unreachable'))
        isOpen = true;
      void asker.drop();
      throw error;
    } finally {
      asker.effectEnded(env.onActing);
      env.onStepEnded(text, rc, env.clock.now() - started, { ...effect, ...(isOpen && { isOpen }) });
    }
  }

  async function driveWhile<R>(steps: Generator<Step, R, StepResult>, driving: Driving): Promise<R | undefined> {
    try {
      return await driveToEnd(steps, driving);
    } finally {
      deadline = ownDeadline;
      ({ signal } = env);
    }
  }

  async function driveToEnd<R>(
    steps: Generator<Step, R, StepResult>,
    { mayStart, then: next }: Driving,
  ): Promise<R | undefined> {
    let then = next;
    let turn = steps.next();
    while (!turn.done) {
      let result: StepResult | undefined;
      try {
        result = await perform(turn.value, { mayStart, then });
      } catch (error) {
        allowCleanUp();
        // What follows is clean-up, as a rule: nobody will ask what it came to.
        then = undefined;
        turn = steps.throw(error);
        continue;
      }
      if (result === undefined) return undefined;
      turn = steps.next(result);
    }
    return turn.value;
  }

  return {
    ask,
    get deadline() {
      return ownDeadline;
    },
    wait,
    // All may start, so it comes to its end.
    drive: async <R>(steps: Generator<Step, R, StepResult>, then?: Probe<unknown>) =>
      (await driveWhile(steps, { mayStart: () => true, then })) as R,
    follow: (steps, started) => driveWhile(steps, { mayStart: (id) => started.has(id) }),
    settle,
  };
}

/** How a module's steps are run. */
interface Driving {
  readonly mayStart: (id: string) => boolean;
  readonly then?: Probe<unknown> | undefined;
}

/** A step in one line, for people. */
function describe(step: ExecStep | PutStep): string {
  switch (step.kind) {
    case 'exec':
      return step.purpose ?? firstLine(step.script.text);
    case 'put':
      return `put ${step.path}`;
    default:
      return unreachableCase(step);
  }
}

function firstLine(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}

/** The last 20 lines: what a tool says last is usually why it failed. */
function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-20).join('\n');
}

/** An error as an event carries it; one that is not in the catalogue is a bug and keeps its stack. */
export function failureView(error: unknown): FailureView {
  if (error instanceof RunbookError) {
    const isOpen = error instanceof StillOpenError;
    return { code: error.code, message: error.message, ...hintOf(error), ...(isOpen && { isOpen }) };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : errorMessage(error);
  return { code: 'internal', message: `this is a bug in runbook or in a module:\n${stack}` };
}

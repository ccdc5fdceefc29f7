import { randomBytes } from 'node:crypto';
import { type Clock, formatDuration, longestTimerMs } from '../base/clock.ts';
import { RunbookError } from '../base/errors.ts';
import type { WaitView } from '../base/events.ts';
import { revealText } from '../base/secret.ts';
import { createTelling } from '../base/telling.ts';
import { becomeTimeoutMs, type EnteredProcess, openAs } from './become.ts';
import { runEffect } from './effect.ts';
import { forgetScript, killEffectScript, settleScript } from './effect-script.ts';
import type { FileReader } from './file-reader.ts';
import { killScript } from './kill-script.ts';
import type { HostProcess, OpenProcess } from './process.ts';
import { putFile } from './put.ts';
import {
  abortError,
  createShell,
  type PersistentShell,
  type ShellContext,
  type ShellRequest,
  type ShellResult,
} from './shell.ts';
import type { Become, Connection, EffectOptions, EffectResult, Environment, RunOptions } from './transport.ts';

/** What a connection is made of. */
export interface ConnectionParts {
  /** For messages: `ops@node-1:22`. */
  readonly description: string;
  /** The user that `open` starts processes as; undefined when unknown. */
  readonly user: string | undefined;
  readonly open: OpenProcess;
  /** PATH of the scripts, as shell text in which `$PATH` is the host's own. */
  readonly path: string;
  readonly clock: Clock;
  readonly readFile: FileReader;
  /** Lets go of the link itself. */
  readonly end: () => Promise<void>;
}

/** Makes a connection of anything that can start processes on a host. */
export function createConnection(parts: ConnectionParts): Connection {
  const { description, clock } = parts;
  const shells = new Map<string, PersistentShell>();
  const queue = createQueue();
  let isClosed = false;
  // What runs on the host behind an effect, though its caller has the effect's result already.
  let behindEffect: Promise<void> | undefined;
  let boot: string | undefined;

  function needsBecome(become: Become | undefined): become is Become {
    return become !== undefined && become.user !== parts.user;
  }

  async function open(command: string, become: Become | undefined): Promise<EnteredProcess> {
    if (isClosed) throw new RunbookError('unreachable', `the connection to ${description} is closed`);
    if (!needsBecome(become)) return { ...(await parts.open(command)), entered: Promise.resolve() };
    return openAs(become, command, { open: parts.open, description, clock, randomMark });
  }

  async function openEntered(command: string, become: Become | undefined): Promise<HostProcess> {
    const process = await open(command, become);
    await process.entered;
    return process;
  }

  async function openShell(become: Become | undefined, kill: ShellContext['kill']): Promise<PersistentShell> {
    const process = await open('exec /bin/sh', become);
    const { entered, proof } = process;
    return createShell(process, { description, clock, randomMark, path: parts.path, kill, entered, proof });
  }

  async function shellFor(become: Become | undefined, onWait: RunOptions['onWait']): Promise<PersistentShell> {
    const key = needsBecome(become) ? `${become.method}:${become.user}` : '';
    const existing = shells.get(key);
    if (existing?.isUsable) return existing;
    const opening = openShell(become, (group, id) => killGroup(group, id, become));
    const wait = becomeWait(become, clock.now());
    // That it is waited for is all that is told; how it ends, whoever runs a script is told.
    if (wait && onWait)
      void createTelling(clock, onWait)(wait, async () => (await opening).entered).catch(() => undefined);
    const shell = await opening;
    shells.set(key, shell);
    return shell;
  }

  /** In a shell of its own, since the script's is busy; sshd ignores signals sent over the channel to a root login. */
  async function killGroup(group: number, effectId: string | undefined, become: Become | undefined): Promise<boolean> {
    // A kill that hangs itself is given up, not killed in turn.
    const shell = await openShell(become, async () => false);
    try {
      const script = effectId === undefined ? killScript(group) : killEffectScript(effectId, group);
      const { rc } = await shell.run({
        script,
        stdin: undefined,
        environment: {},
        timeoutMs: killTimeoutMs,
        signal: undefined,
      });
      return rc === 0;
    } finally {
      shell.close();
    }
  }

  async function runInShell(
    text: string,
    options: RunOptions & Pick<EffectOptions, 'behind'>,
    effect: ShellRequest['effect'],
  ): Promise<ShellResult> {
    const { behind } = options;
    const timeoutMs = await waitForTurn(options);
    const shell = await shellFor(options.become, options.onWait);
    const result = await shell.run({
      ...requestOf(text, { ...options, timeoutMs }),
      effect,
      ...(behind && {
        behind: {
          ...requestOf(behind.script.text, behind),
          timeLeftMs: behind.timeLeftMs,
          onSent: (answer) => {
            const ended = (): void => {
              behindEffect = undefined;
            };
            behindEffect = answer.then(ended, ended);
            behind.onSent(answer);
          },
        },
      }),
    });
    boot = result.boot;
    return result;
  }

  /**
   * Nothing is sent before what runs behind an effect has ended: a shell would begin it though its caller gave it up meanwhile,
   * and over another link an effect could be run that this one still has to run. Gives the time that is left.
   */
  async function waitForTurn({ timeoutMs, signal }: Pick<RunOptions, 'timeoutMs' | 'signal'>): Promise<number> {
    if (signal?.aborted) throw abortError(signal.reason, 'the script was not started');
    if (!behindEffect) return timeoutMs;
    const startedAt = clock.now();
    const over = new AbortController();
    const until = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
    const isLate = clock.sleep(Math.min(timeoutMs, longestTimerMs), until).then(
      () => true,
      () => false,
    );
    const late = await Promise.race([behindEffect.then(() => false), isLate]);
    over.abort(new Error('its turn has come'));
    // Read anew: it may have been raised while that was waited for.
    const isAborted = signal?.aborted === true;
    if (isAborted) throw abortError(signal.reason, 'the script was not started');
    if (late) {
      const message = `the script was not started within ${formatDuration(timeoutMs)}: ${description} was still answering`;
      throw new RunbookError('timeout', message);
    }
    return Math.max(1, timeoutMs - (clock.now() - startedAt));
  }

  const runNow = (text: string, options: RunOptions): Promise<ShellResult> => runInShell(text, options, undefined);

  function effectNow(text: string, options: EffectOptions): Promise<EffectResult> {
    const { id, startedIn, lock, forget = [], timeoutMs } = options;
    for (const name of [id, ...forget])
      if (!/^[\w.-]+$/.test(name)) throw new TypeError(`"${name}" is no id of an effect`);
    const deadline = clock.now() + timeoutMs;
    const attempt = (): Promise<ShellResult> =>
      runInShell(text, { ...options, timeoutMs: Math.max(1, deadline - clock.now()) }, { id, startedIn, lock, forget });
    return runEffect(attempt, description);
  }

  return {
    description,
    user: parts.user,
    get boot() {
      return boot;
    },
    run: (script, options) =>
      queue(async () => {
        const { rc, stdout, stderr, durationMs } = await runNow(script.text, options);
        return { rc, stdout, stderr, durationMs };
      }),
    effect: (script, options) => queue(() => effectNow(script.text, options)),
    settle: (prefix, options) =>
      queue(async () => {
        checkIds([prefix]);
        const { stdout } = await runNow(settleScript(prefix), options);
        return new Map(stdout.split('\n').flatMap(settledLine));
      }),
    forget: (ids, options) =>
      queue(async () => {
        checkIds(ids);
        await runNow(forgetScript(ids), options);
      }),
    put: (path, content, options) =>
      queue(() =>
        putFile(path, content, options, {
          description,
          clock,
          randomMark,
          run: runNow,
          effect: effectNow,
          open: openEntered,
          readFile: parts.readFile,
        }),
      ),
    async [Symbol.asyncDispose]() {
      if (isClosed) return;
      isClosed = true;
      // The link first: it takes the shells of the host with it, and to close them before would be answered.
      await parts.end();
      for (const shell of shells.values()) shell.close();
    },
  };
}

function requestOf(
  script: string,
  { stdin, environment = {}, timeoutMs, signal, parts }: Omit<RunOptions, 'become' | 'onWait'>,
): Omit<ShellRequest, 'effect' | 'behind'> {
  return { script, stdin: stdinBytes(stdin), environment: revealAll(environment), timeoutMs, signal, parts };
}

function checkIds(ids: readonly string[]): void {
  for (const id of ids) if (!/^[\w.-]+$/.test(id)) throw new TypeError(`"${id}" is no id of an effect`);
}

function settledLine(line: string): (readonly [string, 'ended' | 'killed'])[] {
  const [id, how] = line.split(' ');
  return id !== undefined && (how === 'ended' || how === 'killed') ? [[id, how]] : [];
}

function becomeWait(become: Become | undefined, now: number): Omit<WaitView, 'sinceMs'> | undefined {
  return become && { text: `becoming ${become.user} with ${become.method}`, deadlineMs: now + becomeTimeoutMs };
}

/** Runs one thing after another, in the order of the calls, whether or not the one before failed. */
function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
}

/** 128 bits: no output holds it by chance. */
function randomMark(): string {
  return randomBytes(16).toString('hex');
}

function revealAll(environment: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, revealText(value)]));
}

function stdinBytes(stdin: RunOptions['stdin']): Uint8Array | undefined {
  if (stdin === undefined || stdin instanceof Uint8Array) return stdin;
  return Buffer.from(revealText(stdin), 'utf8');
}

/** Two seconds between TERM and KILL, and as much again for a slow host. */
const killTimeoutMs = 10_000;

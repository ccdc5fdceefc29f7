import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/clock.ts';
import { RunbookError, StillOpenError } from '../base/errors.ts';
import { effectPrelude } from './effect-script.ts';
import {
  createFrameReader,
  type EffectRequest,
  type FrameMarks,
  type FrameReader,
  type FrameRequest,
  frameEffect,
  frameScript,
  shellPrelude,
} from './framing.ts';
import { describeEnd, type HostProcess, type ProcessEnd } from './process.ts';
import type { ScriptParts, ScriptResult } from './transport.ts';

/** One script for a persistent shell. */
export interface ShellRequest {
  readonly script: string;
  readonly stdin: Uint8Array | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly parts?: ScriptParts | undefined;
  /** The script is an effect, and its result has `verdict`. */
  readonly effect?: Omit<EffectRequest, keyof FrameRequest> | undefined;
}

/** What a shell gives back of a script. */
export interface ShellResult extends ScriptResult {
  /** See `Connection.boot`. */
  readonly boot: string | undefined;
  /** What the program of an effect said last; undefined when it was killed before it could. */
  readonly verdict?: string | undefined;
}

/** A script did not come to its end, and what it printed until then is known. The link is there. */
export class CutShortError extends RunbookError {
  readonly printed: Pick<ScriptResult, 'stdout' | 'stderr'>;

  constructor(failure: RunbookError, { stdout, stderr }: Pick<ScriptResult, 'stdout' | 'stderr'>) {
    super(failure.code, failure.message, { hint: failure.hint, cause: failure.cause });
    this.printed = { stdout, stderr };
  }
}

/** The shell is gone, and with it the end of the script that ran in it. */
export class ShellEndedError extends CutShortError {}

/** What a shell needs from its connection. */
export interface ShellContext {
  /** For messages: `ops@node-1:22`. */
  readonly description: string;
  readonly clock: Clock;
  readonly randomMark: () => string;
  /** PATH as shell text. */
  readonly path: string;
  /**
   * Ends a script's processes through another channel: TERM, after two seconds KILL. True when they are gone. An effect
   * may have been started by a shell before this one.
   */
  readonly kill: (group: number, effectId: string | undefined) => Promise<boolean>;
  /** Resolves once the shell runs as its user; rejects when that was refused, and then nothing was run. */
  readonly entered: Promise<void>;
  /** A shell without this as `rb_entered` is not the one that was asked for, and ends before it runs anything. */
  readonly proof: string | undefined;
}

/** Output of one stream that is kept at most; more of it fails the script. The verdict of an effect comes on top. */
const outputLimitBytes = 16 * 1024 * 1024 + 1024;

/** A `/bin/sh` on the host that runs one script after another, one round trip each. */
export interface PersistentShell {
  /** False once the shell has ended or has lost its frame; it is then replaced by a new one. */
  readonly isUsable: boolean;
  /** See {@link ShellContext.entered}. */
  readonly entered: Promise<void>;
  /** Runs one script; never call it while another one runs. */
  run(request: ShellRequest): Promise<ShellResult>;
  close(): void;
}

/** Makes a persistent shell of a process that is a `/bin/sh` reading its commands from standard input. */
export function createShell(process: HostProcess, context: ShellContext): PersistentShell {
  let isUsable = true;
  let isPrepared = false;
  let receive: ((stream: 'stdout' | 'stderr', chunk: Buffer) => void) | undefined;
  process.stdout.on('data', (chunk: Buffer) => receive?.('stdout', chunk));
  process.stderr.on('data', (chunk: Buffer) => receive?.('stderr', chunk));
  // The end is told by `ended`; a write to a shell that is gone must not become an uncaught error.
  for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on('error', () => {});
  void process.ended.then(() => {
    isUsable = false;
  });
  process.stdin.write(shellPrelude(context.path, context.proof));

  function close(): void {
    isUsable = false;
    process.destroy();
  }

  function frame(request: ShellRequest, marks: FrameMarks): string {
    if (!request.effect) return frameScript({ ...request, marks });
    const text = frameEffect({ ...request, ...request.effect, marks });
    if (isPrepared) return text;
    isPrepared = true;
    return `${effectPrelude}${text}`;
  }

  async function run(request: ShellRequest): Promise<ShellResult> {
    const startedAt = context.clock.now();
    const mark = context.randomMark();
    const marks: FrameMarks = { begin: `b${mark}`, end: `e${mark}`, verdict: `v${mark}` };
    const text = frame(request, marks);
    const readers = {
      stdout: createFrameReader(marks, outputLimitBytes),
      stderr: createFrameReader(marks, outputLimitBytes),
    };
    const finished = withResolvers<'finished' | 'stdout' | 'stderr'>();
    const isEnded = { stdout: false, stderr: false };
    let flooded: ShellResult | undefined;
    const watch = watchFor(request, context.entered);
    const countMarks = request.parts && createWordCounter(request.parts.mark, watch.partEnded);
    receive = (stream, chunk) => {
      isEnded[stream] = readers[stream].push(chunk);
      if (stream === 'stdout') countMarks?.(chunk);
      if (isEnded.stdout && isEnded.stderr) finished.resolve('finished');
      else if (readers[stream].isOverLimit) {
        // Now: of what comes after this only the end is kept.
        flooded ??= result(readers, 0);
        finished.resolve(stream);
      }
    };
    try {
      process.stdin.write(text);
      const end = await Promise.race([finished.promise, watch.interruption, process.ended]);
      if (end === 'finished') {
        const ended = result(readers, context.clock.now() - startedAt);
        return request.effect ? withVerdict(ended, marks) : ended;
      }
      const printed = flooded ?? result(readers, 0);
      if (typeof end === 'object' && 'kind' in end) throw await shellEnded(end, printed);
      const isGone = await stop(readers, finished.promise, request.effect?.id);
      const outcome = isGone ? 'it was killed' : 'it could not be killed and may still be running on the host';
      const said = lastLine(withVerdict(result(readers, 0), marks));
      const error = interruptionError(end, `${outcome}${said}`);
      throw isGone || !request.effect ? new CutShortError(error, printed) : new StillOpenError(error);
    } finally {
      watch.stop();
      receive = undefined;
    }
  }

  /** Kills the running script and waits until its end is seen, so that the next one finds a shell in order. True when it is gone. */
  async function stop(readers: Readers, finished: Promise<unknown>, effectId: string | undefined): Promise<boolean> {
    const group = readers.stdout.group ?? readers.stderr.group;
    const isGone = group !== undefined && (await context.kill(group, effectId).catch(() => false));
    const settled = new AbortController();
    const isInOrder = await Promise.race([
      finished.then(() => isGone),
      process.ended.then(() => false),
      context.clock.sleep(settleMs, settled.signal).then(() => false),
    ]).finally(() => settled.abort(new Error('settled')));
    if (!isInOrder) close();
    return isGone;
  }

  async function shellEnded(end: ProcessEnd, printed: ShellResult): Promise<RunbookError> {
    close();
    await context.entered;
    if (end.kind === 'lost') {
      return new RunbookError('unreachable', `lost the connection to ${context.description}: ${end.reason}`, {
        hint: 'a script was running there and its end was not seen; it may still be running',
      });
    }
    const message = `the shell on ${context.description} ended before the script did: ${describeEnd(end)}`;
    const hint = 'the script may have killed its parent process';
    return new ShellEndedError(new RunbookError('task-failed', message, { hint }), printed);
  }

  return {
    get isUsable() {
      return isUsable;
    },
    entered: context.entered,
    run,
    close,
  };
}

interface Readers {
  readonly stdout: FrameReader;
  readonly stderr: FrameReader;
}

type Interruption = { readonly timeoutMs: number } | { readonly aborted: unknown };

/** How long the frame of a killed script may take to close. */
const settleMs = 3000;

interface Watch {
  readonly interruption: Promise<Interruption>;
  /** A mark has come: the next part has its time from now on. */
  partEnded(): void;
  stop(): void;
}

/** A script has its time from when its user was become: that has a deadline of its own. */
function watchFor(request: ShellRequest, entered: Promise<void>): Watch {
  const { promise, resolve } = withResolvers<Interruption>();
  const { signal, parts } = request;
  const timers: { all?: NodeJS.Timeout; part?: NodeJS.Timeout } = {};
  let marks = 0;
  let isStopped = false;
  const startTimer = (timeoutMs: number): NodeJS.Timeout =>
    setTimeout(() => resolve({ timeoutMs }), Math.min(timeoutMs, maxTimerMs));
  const start = (): void => {
    if (!isStopped) timers.all = startTimer(request.timeoutMs);
  };
  // Where it was refused the process ends, which is told.
  entered.then(start, () => undefined);
  const onAbort = (): void => resolve({ aborted: signal?.reason });
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    interruption: promise,
    partEnded: () => {
      const ended = marks++;
      if (!parts || ended === 0 || isStopped) return;
      if (ended === 1) {
        clearTimeout(timers.all);
        timers.all = startTimer(parts.restMs);
      }
      clearTimeout(timers.part);
      const timeoutMs = parts.timeoutsMs[ended - 1];
      if (timeoutMs !== undefined) timers.part = startTimer(timeoutMs);
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timers.all);
      clearTimeout(timers.part);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

/** Calls back for each time a word stands in a stream, however that is cut into chunks. */
function createWordCounter(word: string, onWord: () => void): (chunk: Buffer) => void {
  let carried = '';
  return (chunk) => {
    const [first = '', ...others] = (carried + chunk.toString('latin1')).split(word);
    for (const _ of others) onWord();
    carried = (others.at(-1) ?? first).slice(1 - word.length);
  };
}

/** Node turns a longer timer into one of a millisecond. */
const maxTimerMs = 2 ** 31 - 1;

function result(readers: Readers, durationMs: number): ShellResult {
  return {
    boot: readers.stdout.boot,
    rc: readers.stdout.status ?? 255,
    stdout: readers.stdout.content().toString('utf8'),
    stderr: readers.stderr.content().toString('utf8'),
    durationMs,
  };
}

/** Takes the verdict off the end of what an effect printed. */
function withVerdict(ended: ShellResult, { verdict }: FrameMarks): ShellResult {
  const at = ended.stdout.lastIndexOf(`\n${verdict} `);
  if (at === -1) return ended;
  const said = ended.stdout.slice(at + verdict.length + 2).trimEnd();
  return { ...ended, stdout: ended.stdout.slice(0, at), verdict: said };
}

function interruptionError(end: Interruption | 'stdout' | 'stderr', outcome: string): RunbookError {
  if (typeof end === 'object') {
    if ('aborted' in end) return abortError(end.aborted, outcome);
    return new RunbookError('timeout', `did not end within ${formatDuration(end.timeoutMs)}; ${outcome}`);
  }
  return new RunbookError('task-failed', `printed more than 16 MiB on ${end}; ${outcome}`, {
    hint: 'let it write to a file, or filter its output on the host',
  });
}

/** The error of a call whose AbortSignal was raised: the signal's reason when that is an expected failure. */
export function abortError(reason: unknown, detail: string): RunbookError {
  if (reason instanceof RunbookError) return reason;
  const isTimeout = reason instanceof Error && reason.name === 'TimeoutError';
  return new RunbookError(isTimeout ? 'timeout' : 'interrupted', `interrupted; ${detail}`, { cause: reason });
}

/** For messages: what a script said last. */
export function lastLine({ stdout, stderr }: Pick<ScriptResult, 'stdout' | 'stderr'>): string {
  const lines = (text: string): string[] =>
    text
      .slice(-4096)
      .split('\n')
      .filter((line) => line.trim() !== '');
  const last = lines(stderr).at(-1) ?? lines(stdout).at(-1);
  return last === undefined ? '; it printed nothing' : `; it last printed: ${last.slice(-200)}`;
}

/** `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

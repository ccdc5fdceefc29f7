import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/clock.ts';
import { RunbookError, StillOpenError } from '../base/errors.ts';
import { withResolvers } from '../base/with-resolvers.ts';
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
import { createScriptWatch, createWordCounter, type Interruption, type ScriptWatch } from './script-watch.ts';
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
  /** Another script, sent with this one: it is run when this one has ended, however that was. */
  readonly behind?: BehindRequest | undefined;
}

/** A script behind another one. */
export interface BehindRequest extends Omit<ShellRequest, 'effect' | 'behind'> {
  /** See {@link ScriptBehind.timeLeftMs}. */
  readonly timeLeftMs: () => number;
  /** Called when it was sent. */
  readonly onSent: (answer: Promise<ShellResult>) => void;
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
  /** Runs one script; never call it while another one runs, or the one behind it. */
  run(request: ShellRequest): Promise<ShellResult>;
  close(): void;
}

/** Makes a persistent shell of a process that is a `/bin/sh` reading its commands from standard input. */
export function createShell(process: HostProcess, context: ShellContext): PersistentShell {
  let isUsable = true;
  let isPrepared = false;
  // Scripts that were sent and whose end was not seen yet, by stream: what comes is of the first one.
  const unread: Readonly<Record<Stream, Job[]>> = { stdout: [], stderr: [] };
  process.stdout.on('data', (chunk: Buffer) => receive('stdout', chunk));
  process.stderr.on('data', (chunk: Buffer) => receive('stderr', chunk));
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

  function frame({ request, marks }: Job): string {
    return request.effect ? frameEffect({ ...request, ...request.effect, marks }) : frameScript({ ...request, marks });
  }

  /** Writes scripts that the shell runs one after the other. */
  function send(jobs: readonly Job[]): void {
    const isPrelude = !isPrepared && jobs.some(({ request }) => request.effect !== undefined);
    process.stdin.write(`${isPrelude ? effectPrelude : ''}${jobs.map(frame).join('')}`);
    isPrepared ||= isPrelude;
    for (const job of jobs) for (const stream of streams) unread[stream].push(job);
  }

  function receive(stream: Stream, chunk: Buffer): void {
    const rest = unread[stream][0]?.take(stream, chunk);
    if (rest === undefined) return;
    unread[stream].shift();
    if (rest.length > 0) receive(stream, rest);
  }

  function run(request: ShellRequest): Promise<ShellResult> {
    const job = createJob(request, context.randomMark());
    const { behind } = request;
    const other = behind && createJob(behind, context.randomMark());
    send(other ? [job, other] : [job]);
    const own = complete(job, request.timeoutMs);
    if (other) {
      const answer = own
        .catch(() => undefined)
        .then(() => complete(other, Math.max(1, Math.min(behind.timeoutMs, behind.timeLeftMs()))));
      // Told to whoever waits for it.
      answer.catch(() => undefined);
      behind.onSent(answer);
    }
    return own;
  }

  /** Waits for the end of a script that was sent; the ones before it have ended. */
  async function complete(job: Job, timeoutMs: number): Promise<ShellResult> {
    const { request, readers, marks } = job;
    const startedAt = context.clock.now();
    job.watch.start(context.entered, timeoutMs);
    try {
      const end = await Promise.race([job.finished, job.watch.interruption, process.ended]);
      if (end === 'finished') {
        const ended = result(readers, context.clock.now() - startedAt);
        return request.effect ? withVerdict(ended, marks) : ended;
      }
      const printed = job.flooded ?? result(readers, 0);
      if (typeof end === 'object' && 'kind' in end) throw await shellEnded(end, printed);
      const isGone = await stop(job);
      const outcome = isGone ? 'it was killed' : 'it could not be killed and may still be running on the host';
      const said = lastLine(withVerdict(result(readers, 0), marks), request.parts?.mark);
      const error = interruptionError(end, `${outcome}${said}`);
      throw isGone || !request.effect ? new CutShortError(error, printed) : new StillOpenError(error);
    } finally {
      job.watch.stop();
      for (const stream of streams) if (unread[stream][0] === job) unread[stream].shift();
    }
  }

  /** Kills the running script and waits until its end is seen, so that the next one finds a shell in order. True when it is gone. */
  async function stop({ readers, begun, finished, request }: Job): Promise<boolean> {
    const settled = new AbortController();
    const isOver = context.clock.sleep(settleMs, settled.signal).then(
      () => undefined,
      () => undefined,
    );
    // It may have been sent this moment.
    await Promise.race([begun, finished, process.ended, isOver]);
    const group = readers.stdout.group ?? readers.stderr.group;
    if (group === undefined) settled.abort(new Error('nothing of it was seen'));
    const isGone = group !== undefined && (await context.kill(group, request.effect?.id).catch(() => false));
    const isInOrder = await Promise.race([
      finished.then(() => isGone),
      process.ended.then(() => false),
      context.clock.sleep(settleMs, settled.signal).then(
        () => false,
        () => false,
      ),
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

type Stream = 'stdout' | 'stderr';
const streams: readonly Stream[] = ['stdout', 'stderr'];

type Readers = Readonly<Record<Stream, FrameReader>>;

/** How long the frame of a killed script may take to close. */
const settleMs = 3000;

/** A script that was sent, and what came of it. */
interface Job {
  readonly request: Omit<ShellRequest, 'behind'>;
  readonly marks: FrameMarks;
  readonly readers: Readers;
  readonly watch: ScriptWatch;
  /** It has said which processes are its own. */
  readonly begun: Promise<unknown>;
  /** Both streams have come to its end, or the one that is named passed the limit. */
  readonly finished: Promise<'finished' | Stream>;
  /** What it had printed when it passed the limit: of what comes after that only the end is kept. */
  readonly flooded: ShellResult | undefined;
  /** Takes what came; what is behind its end is given back. */
  take(stream: Stream, chunk: Buffer): Buffer | undefined;
}

function createJob(request: Omit<ShellRequest, 'behind'>, mark: string): Job {
  const marks: FrameMarks = { begin: `b${mark}`, end: `e${mark}`, verdict: `v${mark}` };
  const readers = {
    stdout: createFrameReader(marks, outputLimitBytes),
    stderr: createFrameReader(marks, outputLimitBytes),
  };
  const watch = createScriptWatch(request);
  const countMarks = request.parts && createWordCounter(request.parts.mark);
  const begun = withResolvers<undefined>();
  const finished = withResolvers<'finished' | Stream>();
  let flooded: ShellResult | undefined;
  return {
    request,
    marks,
    readers,
    watch,
    begun: begun.promise,
    finished: finished.promise,
    get flooded() {
      return flooded;
    },
    take(stream, chunk) {
      const reader = readers[stream];
      const rest = reader.push(chunk);
      if (stream === 'stdout' && countMarks) watch.partsEnded(countMarks(chunk));
      if (reader.group !== undefined) begun.resolve(undefined);
      if (readers.stdout.status !== undefined && readers.stderr.status !== undefined) finished.resolve('finished');
      else if (reader.isOverLimit) {
        flooded ??= result(readers, 0);
        finished.resolve(stream);
      }
      return rest;
    },
  };
}

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

function interruptionError(end: Interruption | Stream, outcome: string): RunbookError {
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

/** For messages: what a script said last; a line that begins with `mark` stands between its parts. */
export function lastLine({ stdout, stderr }: Pick<ScriptResult, 'stdout' | 'stderr'>, mark?: string): string {
  const lines = (text: string): string[] =>
    text
      .slice(-4096)
      .split('\n')
      .filter((line) => line.trim() !== '' && !(mark !== undefined && line.startsWith(mark)));
  const last = lines(stderr).at(-1) ?? lines(stdout).at(-1);
  return last === undefined ? '; it printed nothing' : `; it last printed: ${last.slice(-200)}`;
}

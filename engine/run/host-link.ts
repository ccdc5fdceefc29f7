import { type Clock, formatDuration } from '../base/clock.ts';
import { errorMessage, RunbookError, StillOpenError } from '../base/errors.ts';
import { sh } from '../base/sh.ts';
import type { Become, Connection, RunOptions } from '../transport/transport.ts';

/** What a link to a host is made of. */
export interface LinkParts {
  readonly connect: () => Promise<Connection>;
  readonly clock: Clock;
  /** How long a link that was lost is waited for; 0: not at all. */
  readonly reconnectMs: number;
  /** Ends the waiting for a lost link. */
  readonly signal: AbortSignal;
  /** The link is lost for good. */
  readonly onLost: () => Promise<void>;
}

/** Pauses before the tries to connect again, in milliseconds; the last one is that of all that follow. */
const pausesMs: readonly number[] = [0, 1000, 2000, 4000, 8000, 16_000];
const lastPauseMs = 30_000;

/** How often a host is connected to that has not answered anything yet. */
const triesBeforeAnswer = 3;

/** What all calls of a connection have in common. */
type CallOptions = Pick<RunOptions, 'timeoutMs' | 'signal' | 'onWait'>;

/** One try of a call. */
interface Try {
  readonly connection: Connection;
  /** What is left of the call's time. */
  readonly timeoutMs: number;
  /** It was tried on another link before, and may have come to the host. */
  readonly isAgain: boolean;
}

/**
 * A connection whose link is made again when it is lost: probes are asked again, effects and puts are attached to by their
 * id. So a call takes as long as the link is away, at most until its own deadline. A host that lets itself be connected to
 * and never says anything is given a few tries only.
 */
export async function createHostLink(parts: LinkParts): Promise<Connection> {
  const { clock, reconnectMs, signal } = parts;
  let current = await parts.connect();
  let hasAnswered = false;
  let triesLeft = triesBeforeAnswer;
  let isClosed = false;
  let outage: { readonly sinceMs: number; tries: number } | undefined;
  let remaking: Promise<void> | undefined;

  async function giveUp(error: unknown): Promise<never> {
    isClosed = true;
    await parts.onLost();
    throw error;
  }

  /** Whatever a host says shows that its link is up. */
  function answered<T>(value: T): T {
    hasAnswered = true;
    outage = undefined;
    return value;
  }

  async function persist<T>(options: CallOptions, work: (attempt: Try) => Promise<T>): Promise<T> {
    const deadline = clock.now() + options.timeoutMs;
    for (let isAgain = false; ; isAgain = true) {
      const connection = current;
      const timeoutMs = Math.max(1, deadline - clock.now());
      try {
        return answered(await work({ connection, timeoutMs, isAgain }));
      } catch (error) {
        if (!isLost(error)) throw isAgain && isOfLink(error) ? leftOpen(error) : error;
        const isHopeless = !hasAnswered && --triesLeft <= 0;
        if (isHopeless || reconnectMs === 0 || isClosed || options.signal?.aborted) return giveUp(error);
        if (connection === current)
          await comeBack(error, deadline, options).catch((end) => Promise.reject(leftOpen(end)));
      }
    }
  }

  /** Waits with all others for the link. */
  async function comeBack(reason: RunbookError, deadline: number, options: CallOptions): Promise<void> {
    outage ??= { sinceMs: clock.now(), tries: 0 };
    const { sinceMs } = outage;
    const deadlineMs = Math.min(deadline, sinceMs + reconnectMs);
    options.onWait?.({ text: `waiting for the connection to come back (${why(reason)})`, sinceMs, deadlineMs });
    remaking ??= remake(reason, outage).finally(() => {
      remaking = undefined;
    });
    const over = new AbortController();
    const until = options.signal ? AbortSignal.any([options.signal, over.signal]) : over.signal;
    const isOver = clock.sleep(Math.max(0, deadline - clock.now()), until).then(() => {
      throw new RunbookError('unreachable', `${reason.message}; it did not come back within the time of this step`);
    });
    for (const promise of [remaking, isOver]) promise.catch(() => undefined);
    await Promise.race([remaking, isOver]).finally(() => over.abort(new Error('not needed any more')));
    options.onWait?.({ text: '', sinceMs });
  }

  async function remake(reason: RunbookError, lost: { readonly sinceMs: number; tries: number }): Promise<void> {
    const broken = current;
    void Promise.resolve(broken[Symbol.asyncDispose]()).catch(() => undefined);
    for (let last: unknown; ; ) {
      const leftMs = lost.sinceMs + reconnectMs - clock.now();
      if (leftMs <= 0) return giveUp(stayedAway(reason, reconnectMs, last));
      await clock.sleep(Math.min(pausesMs[lost.tries++] ?? lastPauseMs, leftMs), signal);
      try {
        current = await parts.connect();
        return;
      } catch (error) {
        // A host that shows another key is not the host that was lost.
        if (!isLost(error)) throw error;
        last = error;
      }
    }
  }

  return {
    description: current.description,
    user: current.user,
    get boot() {
      return current.boot;
    },
    run: (script, options) =>
      persist(options, ({ connection, timeoutMs }) => connection.run(script, { ...options, timeoutMs })),
    settle: (prefix, options) =>
      persist(options, ({ connection, timeoutMs }) => connection.settle(prefix, { ...options, timeoutMs })),
    forget: (ids, options) =>
      persist(options, ({ connection, timeoutMs }) => connection.forget(ids, { ...options, timeoutMs })),
    async effect(script, options) {
      let startedIn: string | undefined;
      return persist(options, async ({ connection, timeoutMs, isAgain }) => {
        startedIn ??= options.startedIn ?? (await bootOf(connection, options));
        return connection.effect(script, {
          ...options,
          timeoutMs,
          startedIn: isAgain ? startedIn : options.startedIn,
        });
      });
    },
    async put(path, content, options) {
      const { effect } = options;
      let startedIn: string | undefined;
      return persist(options, async ({ connection, timeoutMs, isAgain }) => {
        startedIn ??= effect.startedIn ?? (await bootOf(connection, options));
        const identity = { ...effect, startedIn: isAgain ? startedIn : effect.startedIn };
        return connection.put(path, content, { ...options, timeoutMs, effect: identity });
      });
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await current[Symbol.asyncDispose]();
    },
  };
}

/** Of a call whose link was lost the host may have begun something, whatever ends the call now. */
function leftOpen(error: unknown): unknown {
  return error instanceof RunbookError ? new StillOpenError(error) : error;
}

/** The call itself did not come to the host. */
function isOfLink(error: unknown): boolean {
  return error instanceof RunbookError && error.code === 'become-failed';
}

function isLost(error: unknown): error is RunbookError {
  return error instanceof RunbookError && error.code === 'unreachable';
}

/** Of `lost the connection to root@n1:22: read ECONNRESET` the last part. */
function why({ message }: RunbookError): string {
  return message.split(': ').at(-1) ?? message;
}

function stayedAway(reason: RunbookError, reconnectMs: number, last: unknown): RunbookError {
  const tries = last === undefined ? '' : ` (${errorMessage(last)})`;
  const message = `${reason.message}; it did not come back within ${formatDuration(reconnectMs)}${tries}`;
  return new RunbookError('unreachable', message, { hint: reason.hint, cause: reason });
}

/**
 * The boot of the host, where it tells one: known after any script, and asked for where there was none. It has to be known
 * before the first effect, which the host may restart in.
 */
export async function bootOf(
  connection: Connection,
  { become, signal }: { readonly become?: Become | undefined; readonly signal?: AbortSignal | undefined },
): Promise<string | undefined> {
  if (connection.boot === undefined) await connection.run(sh`:`, { become, signal, timeoutMs: bootTimeoutMs });
  return connection.boot;
}

const bootTimeoutMs = 60_000;

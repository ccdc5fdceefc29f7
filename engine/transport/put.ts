import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../base/clock.ts';
import { formatDuration, longestTimerMs } from '../base/clock.ts';
import { errorMessage, RunbookError } from '../base/errors.ts';
import { exitIfStarted } from './effect-script.ts';
import { type FileReader, pieceBytes } from './file-reader.ts';
import { largeBytes } from './host-digest.ts';
import { describeEnd, type HostProcess } from './process.ts';
import {
  cleanUpScript,
  fillScript,
  finishScript,
  type PutPlan,
  prepareScript,
  putStatus,
  removeCutOff,
  streamCommand,
  temporaryPath,
} from './put-script.ts';
import { abortError } from './shell.ts';
import type { Become, Content, EffectOptions, PutOptions, PutResult, RunOptions, ScriptResult } from './transport.ts';

/** What a put needs from its connection. */
export interface PutContext {
  readonly description: string;
  readonly clock: Clock;
  readonly randomMark: () => string;
  readonly run: (script: string, options: RunOptions) => Promise<ScriptResult>;
  readonly effect: (script: string, options: EffectOptions) => Promise<ScriptResult>;
  readonly open: (command: string, become: Become | undefined) => Promise<HostProcess>;
  readonly readFile: FileReader;
}

/** Bytes up to this many go with the script, in one round trip; more are streamed over a channel of their own. */
const inlineLimitBytes = 64 * 1024;

/**
 * Puts a file as `Connection.put` promises. A symbolic link is followed, and stays. What changes the host for others to see
 * is one effect; called again after the link was lost, it finds that it was run, or transfers the bytes anew.
 */
export async function putFile(
  path: string,
  content: Content,
  options: PutOptions,
  context: PutContext,
): Promise<PutResult> {
  const deadline = context.clock.now() + options.timeoutMs;
  const first = await attempt(path, content, options, context, deadline);
  if (!('realPath' in first)) return first;
  const { id } = options.effect;
  const again = { ...options, effect: { ...options.effect, id: `${id}.link` } };
  const second = await attempt(first.realPath, content, again, context, deadline);
  if (!('realPath' in second)) return second;
  throw failure(path, context, 'the symbolic link changed while it was followed');
}

async function attempt(
  target: string,
  content: Content,
  options: PutOptions,
  context: PutContext,
  deadline: number,
): Promise<PutResult | { readonly realPath: string }> {
  const { effect, become, signal, behind } = options;
  const mark = createHash('sha256').update(effect.id).digest('hex').slice(0, 8);
  const plan = planOf(target, content, `${mark}${context.randomMark().slice(0, 4)}`, options, context);
  const remaining = (): number => Math.max(1, deadline - context.clock.now());
  const run = (script: string): Promise<ScriptResult> =>
    context.run(script, { become, timeoutMs: remaining(), signal });
  const change = (script: string): Promise<ScriptResult> =>
    context.effect(script, { ...effect, become, timeoutMs: remaining(), signal, behind });

  try {
    const small = await smallBytes(content, context.readFile);
    if (small !== undefined) {
      const script = `${prepareScript(plan)}\n${fillScript(small)}\n${finishScript(plan)}`;
      return judge(await change(script), plan, context);
    }
    const prepare = `${exitIfStarted(effect.id, putStatus.started)}\n${removeCutOff(plan.target, mark)}`;
    const prepared = await run(`${prepare}\n${prepareScript(plan)}`);
    if (prepared.rc !== putStatus.started) {
      const judged = judge(prepared, plan, context);
      if ('realPath' in judged) return judged;
      await stream(content, plan, options, context, remaining());
    }
    return judge(await change(finishScript(plan)), plan, context);
  } catch (error) {
    // A killed script could not clean up behind itself. When the link is gone, this cannot either.
    await context.run(cleanUpScript(plan), { become, timeoutMs: cleanUpTimeoutMs }).catch(() => {});
    throw error;
  }
}

function planOf(target: string, content: Content, mark: string, options: PutOptions, context: PutContext): PutPlan {
  const explicit = /^[./]/.test(target) ? target : `./${target}`;
  const temporary = temporaryPath(explicit, mark);
  return {
    target: explicit,
    temporary,
    sha256: options.sha256,
    isLarge: sizeOf(content) >= largeBytes,
    isSecret: options.isSecret ?? false,
    mode: options.mode,
    owner: options.owner,
    group: options.group,
    validate: options.validate?.(temporary).text,
    backup: options.backup ? `${explicit}.${timestamp(context.clock.now())}~` : undefined,
  };
}

function sizeOf(content: Content): number {
  return content.kind === 'bytes' ? content.bytes.length : content.size;
}

async function smallBytes(content: Content, readFile: FileReader): Promise<Uint8Array | undefined> {
  if (content.kind === 'bytes') return content.bytes.length <= inlineLimitBytes ? content.bytes : undefined;
  if (content.size > inlineLimitBytes) return undefined;
  return buffer(readFile(content.path));
}

const cleanUpTimeoutMs = 5000;

function judge(result: ScriptResult, plan: PutPlan, context: PutContext): PutResult | { readonly realPath: string } {
  if (result.rc === 0) {
    // The effect may have been started earlier, with another time in the backup's name.
    const backup = /^kept ([^]*)$/.exec(result.stdout)?.[1];
    return backup === undefined ? {} : { backup };
  }
  if (result.rc === putStatus.symlink) return { realPath: result.stdout.replace(/\n$/, '') };
  if (result.rc === putStatus.digest) {
    const digests = plan.isSecret
      ? 'another SHA-256 than was sent'
      : `SHA-256 ${result.stdout}, expected ${plan.sha256}`;
    const message = `${plan.target} on ${context.description}: the bytes that arrived have ${digests}`;
    throw new RunbookError('digest-mismatch', message, {
      hint: 'the old file, if any, is untouched; was it changed on the controller while it was sent?',
    });
  }
  throw failure(plan.target, context, reasonOf(result.stderr, `status ${result.rc}`));
}

/** The last line says what failed, those above it why. The shell names itself and the line of a script that the user never wrote. */
function reasonOf(stderr: string, otherwise: string): string {
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => line.replace(/^(\/bin\/)?sh: (line )?(\d+: )?(eval: )?(line \d+: )?/, ''));
  const said = lines.filter((line) => line !== '');
  const verdict = said.pop() ?? otherwise;
  return said.length === 0 ? verdict : `${verdict}: ${said.join('\n')}`;
}

function failure(path: string, context: PutContext, reason: string, cause?: unknown): RunbookError {
  return new RunbookError('transfer-failed', `cannot put ${path} on ${context.description}: ${reason}`, { cause });
}

async function stream(
  content: Content,
  plan: PutPlan,
  options: PutOptions,
  context: PutContext,
  timeoutMs: number,
): Promise<void> {
  const process = await context.open(streamCommand(plan, sizeOf(content)), options.become);
  let stderr = '';
  process.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-4096);
  });
  process.stdout.resume();
  for (const end of [process.stdin, process.stdout, process.stderr]) end.on('error', () => {});
  const timeout = AbortSignal.timeout(Math.min(timeoutMs, longestTimerMs));
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  try {
    // In slices: the channel takes 2 MiB at a time, and the pipeline waits for it.
    const source = content.kind === 'file' ? context.readFile(content.path) : slices(content.bytes);
    const sent = pipeline(source, process.stdin, { signal }).catch((error: unknown) => error);
    const sendError = await Promise.race([sent, process.ended.then(() => undefined)]);
    if (signal.aborted) throw abortedStream(options, timeoutMs);
    if (sendError instanceof RunbookError) throw sendError;
    const end = await Promise.race([process.ended, aborted(signal)]);
    if (end === 'aborted') throw abortedStream(options, timeoutMs);
    if (end.kind === 'lost') {
      throw new RunbookError('unreachable', `lost the connection to ${context.description}: ${end.reason}`);
    }
    if (end.kind === 'exited' && end.code === 0) return;
    const otherwise = sendError instanceof Error ? errorMessage(sendError) : describeEnd(end);
    throw failure(plan.target, context, reasonOf(stderr, otherwise));
  } finally {
    process.destroy();
  }
}

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
}

function abortedStream(options: PutOptions, timeoutMs: number): RunbookError {
  if (options.signal?.aborted) return abortError(options.signal.reason, 'the transfer was stopped');
  return new RunbookError('timeout', `the transfer did not end within ${formatDuration(timeoutMs)}; it was stopped`);
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
}

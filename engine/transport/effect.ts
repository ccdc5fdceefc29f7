import { RunbookError } from '../base/errors.ts';
import type { VerdictWord } from './effect-script.ts';
import { lastLine, ShellEndedError, type ShellResult } from './shell.ts';
import type { EffectResult } from './transport.ts';

/** What is known of an effect that was tried. `signalled`: it was killed, and only this shell saw how. */
interface Tried {
  readonly result: ShellResult;
  readonly signalled: number | undefined;
}

/**
 * Has an effect run by `attempt`, which may be called again: the effect itself is not started twice. So when its end was
 * not seen, though the link is there, another shell asks the host.
 */
export async function runEffect(attempt: () => Promise<ShellResult>, description: string): Promise<EffectResult> {
  const { result, signalled } = await untilTold(attempt);
  return judge(result, signalled, description);
}

async function untilTold(attempt: () => Promise<ShellResult>): Promise<Tried> {
  let first: ShellResult | undefined;
  try {
    first = await attempt();
  } catch (error) {
    // The effect may have ended the shell that it was started from.
    if (!(error instanceof ShellEndedError)) throw error;
  }
  if (first?.verdict !== undefined) return { result: first, signalled: undefined };
  return { result: await attempt(), signalled: first?.rc };
}

function judge(result: ShellResult, signalled: number | undefined, description: string): EffectResult {
  const { rc, stdout, stderr, durationMs } = result;
  const { word, lock, detail } = readVerdict(result.verdict);
  switch (word) {
    case 'ended':
      return { rc: Number(detail), stdout, stderr, durationMs, lock };
    case 'killed':
      if (signalled !== undefined) return { rc: signalled, stdout, stderr, durationMs, lock };
      throw new RunbookError('effect-unknown', `what ran this on ${description} was killed${lastLine(result)}`, {
        hint: 'how far it came, and its exit status, cannot be known; look at the host (out of memory?)',
      });
    case 'over':
      throw new RunbookError('task-failed', `printed more than 16 MiB on ${detail}`, {
        hint: 'that is the most that is kept: it was killed unless it had ended; let it write to a file, or filter its output on the host',
      });
    case 'restarted':
      throw new RunbookError('effect-unknown', `${description} restarted while this was running or about to`, {
        hint: 'whether it was run cannot be known, so it is not run again; look at the host, then run the playbook again',
      });
    case 'held':
      throw heldBy(detail, description);
    case 'refused':
      throw new RunbookError('task-failed', `not started: ${description} cannot keep its status: ${detail}`, {
        hint: 'it is kept below /run/runbook, of a user other than root below /tmp: make room there, or make it writable',
      });
    default:
      throw new RunbookError('effect-unknown', `${description} did not tell how this ended (status ${rc})`);
  }
}

interface Verdict {
  readonly word: VerdictWord | undefined;
  readonly lock: EffectResult['lock'];
  readonly detail: string;
}

const words: readonly string[] = ['ended', 'over', 'killed', 'restarted', 'held', 'refused'] satisfies VerdictWord[];

function readVerdict(line = ''): Verdict {
  const [, word = '', lock, detail = ''] = /^(\S+) (\S+) ?([^]*)$/.exec(line) ?? [];
  const isKnown = (text: string): text is VerdictWord => words.includes(text);
  return {
    word: isKnown(word) ? word : undefined,
    lock: lock === 'held' || lock === 'shared' || lock === 'unavailable' ? lock : 'none',
    detail,
  };
}

/** The lock's file has the run, what people are told of it, and the shell that holds the lock. */
function heldBy(line: string, description: string): RunbookError {
  const [, holder, shell] = line.split('\t');
  const message = `${description} is held by ${holder ?? 'another run'}`;
  return new RunbookError('host-held', message, {
    hint: `wait until that run has ended; if it is no more, end its shell on the host${shell ? `: kill ${shell}` : ''}`,
  });
}

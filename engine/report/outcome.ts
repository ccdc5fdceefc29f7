import type { FinalState, Outcome } from '../base/events.ts';
import type { Paint } from './paint.ts';

/** What a host's result is called; in check mode nothing has happened yet, and the words say so. */
export function outcomeWord(outcome: Outcome, isCheckMode: boolean): string {
  return isCheckMode && outcome === 'changed' ? 'would change' : outcome;
}

/** What a host's final state is called. */
export function stateWord(state: FinalState, isCheckMode: boolean): string {
  if (state === 'not-started') return 'not started';
  if (state === 'rolled-back') return 'rolled back';
  return isCheckMode && state === 'changed' ? 'would change' : state;
}

/** The colour of an outcome or a state: red for what failed, yellow for what changed or needs a look, green for fine. */
export function outcomePaint(outcome: Outcome | FinalState, paint: Paint): (text: string) => string {
  switch (outcome) {
    case 'failed':
    case 'unreachable':
    case 'rolled-back':
    case 'interrupted':
      return paint.red;
    case 'changed':
    case 'rescued':
    case 'ignored':
      return paint.yellow;
    case 'unknown':
      return paint.cyan;
    case 'ok':
      return paint.green;
    case 'skipped':
    case 'not-started':
      return paint.dim;
  }
}

/** What an exit code says, in the words of `docs/exit-codes.md`. */
export function exitCodeMeaning(exitCode: number): string {
  return exitCodes.find(([code]) => code === exitCode)?.[1] ?? 'unexpected';
}

/** Every exit code and its meaning, in order. */
export const exitCodes: readonly (readonly [number, string])[] = [
  [0, 'done; with --check: nothing differs'],
  [1, 'internal error: a bug in runbook'],
  [2, 'a host failed'],
  [3, 'with --check: something differs, or cannot be known'],
  [4, 'a host was unreachable, none failed'],
  [5, 'the playbook, the inventory or the command line is wrong; nothing was contacted'],
  [6, 'stopped by the failure budget, or by a health gate'],
  [7, 'a host was rolled back, none failed or was unreachable'],
  [130, 'interrupted'],
];

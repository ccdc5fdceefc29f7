import { formatDuration } from '../base/clock.ts';
import type { HostSummary, Outcome, RunEvent } from '../base/events.ts';
import { exitCodeMeaning, outcomePaint, outcomeWord, stateWord } from './outcome.ts';
import type { Paint } from './paint.ts';
import { errorKey } from './result-text.ts';
import { count, cutMiddle, indent, nameSome } from './text.ts';

/** With more hosts than this, those that are plainly ok are only counted. */
const listAll = 30;
const alwaysShown: readonly Outcome[] = ['ok', 'changed', 'failed'];
const shownWhenAny: readonly Outcome[] = ['unknown', 'unreachable', 'rescued', 'ignored', 'skipped'];

/** The end of a run: every host's final state, why hosts failed, what is left behind, and what the exit code means. */
export function formatRecap(
  run: Extract<RunEvent, { type: 'run-ended' }>,
  { isCheckMode, paint }: { readonly isCheckMode: boolean; readonly paint: Paint },
): string {
  const parts = [
    [paint.bold(isCheckMode ? 'RECAP (check mode, nothing was changed)' : 'RECAP'), ...hostLines(run.summary)],
    failures(run.summary),
    leftBehind(run.summary),
    unverified(run.summary),
    [totals()],
  ];
  return `\n${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;

  function hostLines(summary: readonly HostSummary[]): string[] {
    const listed = summary.length > listAll ? summary.filter((host) => !isPlainlyOk(host)) : summary;
    const columns = [...alwaysShown, ...shownWhenAny.filter((o) => summary.some((host) => host.counts[o] > 0))];
    const nameWidth = Math.max(0, ...listed.map((host) => host.host.length));
    const stateWidth = Math.max(0, ...listed.map((host) => stateWord(host.state, isCheckMode).length));
    const digits = (o: Outcome): number => Math.max(...listed.map((host) => String(host.counts[o]).length));
    const lines = listed.map((host) => {
      const state = stateWord(host.state, isCheckMode).padEnd(stateWidth);
      const cells = columns.map((o) => cell(o, host.counts[o], digits(o)));
      return `  ${host.host.padEnd(nameWidth)}  ${outcomePaint(host.state, paint)(state)}  ${cells.join('  ')}`.trimEnd();
    });
    const left = summary.length - listed.length;
    if (left > 0)
      lines.push(
        `  ${paint.green(listed.length > 0 ? `${count(left, 'other host')}: ok` : `${count(left, 'host')}: ok`)}`,
      );
    return lines;
  }

  function cell(outcome: Outcome, n: number, digits: number): string {
    const label = outcomeWord(outcome, isCheckMode).replace(' ', '-');
    const text = `${label}=${String(n).padEnd(digits)}`;
    return n === 0 ? paint.dim(text) : outcomePaint(outcome, paint)(text);
  }

  function failures(summary: readonly HostSummary[]): string[] {
    const groups = new Map<string, HostSummary[]>();
    for (const host of summary) {
      if (!host.failure) continue;
      const key = JSON.stringify([failureWord(host), host.failure.task, errorKey(host.host, host.failure.message)]);
      groups.set(key, [...(groups.get(key) ?? []), host]);
    }
    return [...groups.values()].map(failureText);
  }

  function failureText(hosts: readonly HostSummary[]): string {
    const [first] = hosts;
    if (!first?.failure) return '';
    const { task, message, hint } = first.failure;
    const isOne = hosts.length === 1;
    const who = isOne
      ? first.host
      : `${count(hosts.length, 'host')}, same error (${nameSome(hosts.map((h) => h.host))})`;
    const lines = [`${paint.red(`${failureWord(first)} ${task}`)}: ${who}`, indent(cutMiddle(message, 12), 4)];
    if (hint) lines.push(indent(`hint: ${hint}`, 4));
    return lines.join('\n');
  }

  function leftBehind(summary: readonly HostSummary[]): string[] {
    const lines: string[] = [];
    for (const [handler, hosts] of groupBy(summary, (host) => host.pendingHandlers)) {
      lines.push(`${paint.yellow('HANDLER NOT RUN')} ${handler}: ${nameSome(hosts)}`);
    }
    for (const [lease, hosts] of groupBy(summary, (host) => host.leases.map((l) => `${l.task}: ${l.reason}`))) {
      lines.push(`${paint.yellow('STILL HELD')} ${nameSome(hosts)}: ${lease}`);
    }
    return lines;
  }

  /** What was done and nobody has looked at: the modules say that they cannot. */
  function unverified(summary: readonly HostSummary[]): string[] {
    const reasons = groupBy(summary, (host) => [...new Set(host.unverified?.map(({ reason }) => reason))]);
    return [...reasons].map(([reason, hosts]) => {
      const told = summary.flatMap((host) => host.unverified?.filter((one) => one.reason === reason) ?? []);
      const tasks = [...new Set(told.map(({ task }) => task))];
      return paint.dim(`NOT VERIFIED ${nameSome(tasks)}: ${nameSome(hosts)} (${reason})`);
    });
  }

  function totals(): string {
    const states = new Map<string, number>();
    for (const { state } of run.summary) {
      const word = stateWord(state, isCheckMode);
      states.set(word, (states.get(word) ?? 0) + 1);
    }
    const parts = [...states].map(([word, n]) => `${n} ${word}`);
    const changed = run.summary.reduce((sum, host) => sum + host.counts.changed, 0);
    const stop = run.stopReason ? `stopped: ${run.stopReason}\n` : '';
    const label = isCheckMode ? 'would-change' : 'changed';
    const end = `exit ${run.exitCode}: ${meaning()}`;
    return `${stop}${count(run.summary.length, 'host')}: ${parts.join(', ') || 'none'} (${label}=${changed}) in ${formatDuration(run.durationMs)}, ${end}`;
  }

  function meaning(): string {
    if (run.exitCode === 0) return isCheckMode ? 'nothing differs' : 'done';
    return exitCodeMeaning(run.exitCode).replace('with --check: ', '');
  }
}

function failureWord({ state }: HostSummary): string {
  return state === 'rolled-back' ? 'ROLLED BACK after' : 'FAILED';
}

function isPlainlyOk(host: HostSummary): boolean {
  return (
    host.state === 'ok' && host.leases.length === 0 && host.pendingHandlers.length === 0 && host.counts.unknown === 0
  );
}

function groupBy(
  summary: readonly HostSummary[],
  keysOf: (host: HostSummary) => readonly string[],
): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const host of summary) {
    for (const key of keysOf(host)) groups.set(key, [...(groups.get(key) ?? []), host.host]);
  }
  return groups;
}

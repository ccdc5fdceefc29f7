import { formatDuration } from '../base/clock.ts';
import type { FailureView, TaskRef, TaskResult } from '../base/events.ts';
import { formatChange, namePaths } from './diff.ts';
import { outcomePaint, outcomeWord } from './outcome.ts';
import type { Paint } from './paint.ts';
import { cutMiddle, indent } from './text.ts';

/** A task's result on a host, as a reporter shows it. */
export interface HostResult extends TaskResult {
  readonly task: TaskRef;
  readonly host: string;
  readonly delegatedTo?: string;
  readonly item?: string;
}

/** How results are written. */
export interface ResultStyle {
  readonly paint: Paint;
  readonly isCheckMode: boolean;
  readonly isDiff: boolean;
}

/** A result in full: `changed: [node-1] content`, then its diffs, or the error with its hint and place. */
export function formatResult(result: HostResult, style: ResultStyle): string {
  const { paint } = style;
  const word = outcomeWord(result.outcome, style.isCheckMode);
  const [headline = '', ...rest] = (result.failure?.message ?? result.message ?? '').split('\n');
  const head = [outcomePaint(result.outcome, paint)(`${word}: ${where(result)}`)];
  if (result.item !== undefined) head.push(`(item: ${result.item})`);
  if (result.changes.length > 0 && !style.isDiff) head.push(paint.dim(namePaths(result.changes)));
  if (headline) head.push(result.failure ? outcomePaint(result.outcome, paint)(headline) : headline);
  if (result.durationMs >= 1000) head.push(paint.dim(`(${formatDuration(result.durationMs)})`));
  const lines = [head.join(' ')];
  if (rest.length > 0) lines.push(indent(cutMiddle(rest.join('\n'), 40), 4));
  if (style.isDiff) lines.push(...result.changes.map((change) => indent(formatChange(change, paint), 4)));
  if (result.unverified) lines.push(indent(paint.dim(`cannot be verified: ${result.unverified}`), 4));
  if (result.failure) lines.push(...failureFacts(result, result.failure, paint));
  return lines.join('\n');
}

/**
 * What two results must share to be told once: the outcome and the text, whatever the host is called. The addresses in
 * "connect ECONNREFUSED 10.0.0.7:22" do not make it another error.
 */
export function resultKey(result: HostResult): string {
  const { outcome, changes, unverified, item } = result;
  return JSON.stringify(
    [outcome, item, errorKey(result.host, result.failure?.message ?? result.message), unverified, changes],
    (_key, v) => (typeof v === 'bigint' ? String(v) : v),
  );
}

/** A message without what tells hosts apart: its name, addresses, and how long it took. */
export function errorKey(host: string, message: string | undefined): string {
  if (message === undefined) return '';
  const mayNameIt = message.includes(host) || /[.:]\d|\[|\d m?s\b/.test(message);
  if (!mayNameIt) return message;
  const name = new RegExp(`(?<![\\w.-])${host.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`, 'g');
  return message
    .replace(name, '<host>')
    .replace(/\b\d{1,3}(\.\d{1,3}){3}\b|\[[0-9a-f:]+\]/gi, '<address>')
    .replace(/\b(\d+ min )?\d+(\.\d+)? m?s\b/g, '<time>');
}

function failureFacts(result: HostResult, failure: FailureView, paint: Paint): string[] {
  const lines: string[] = [];
  if (failure.hint) lines.push(indent(`hint: ${failure.hint}`, 4));
  const attempts = (result.attempts ?? 1) > 1 ? `, after ${result.attempts} attempts` : '';
  lines.push(indent(paint.dim(`at ${result.task.place}${attempts}`), 4));
  return lines;
}

function where({ host, delegatedTo }: HostResult): string {
  return delegatedTo === undefined || delegatedTo === host ? `[${host}]` : `[${host} on ${delegatedTo}]`;
}

import { formatDuration } from '../../base/clock.ts';
import type { ChangeView, HostSummary, StampedEvent } from '../../base/events.ts';
import { formatChange, isLongText, showValue } from '../diff.ts';
import { exitCodeMeaning, outcomePaint, stateWord } from '../outcome.ts';
import type { Paint } from '../paint.ts';
import { count, cutMiddle, indent, visible } from '../text.ts';
import {
  type Finding,
  type FindingGroup,
  type FindingKind,
  findingsOf,
  groupFindings,
  standingOf,
} from './findings.ts';
import { hostList } from './host-list.ts';
import type { ResultTable } from './result-table.ts';

/** The words of findings, and the outcome whose colour they have. */
const words: Readonly<Record<FindingKind, readonly [string, Parameters<typeof outcomePaint>[0]]>> = {
  failed: ['failed', 'failed'],
  unreachable: ['unreachable', 'unreachable'],
  differs: ['differs', 'changed'],
  unknown: ['unknown', 'unknown'],
  tolerated: ['tolerated', 'ignored'],
};
const wordWidth = Math.max(...Object.values(words).map(([word]) => word.length));
const margin = wordWidth + 4;
/** So many diffs of single hosts are told of a task before the others are only named. */
const ownDiffs = 3;

/**
 * An audit for people: by task what differs, is unknown or failed, equal findings told once with their hosts; then by host,
 * equal standings told once; then what is left behind and the totals. Long diffs are cut as in a terminal.
 */
export function formatAudit(table: ResultTable, paint: Paint): string {
  const { end } = table;
  const findings = findingsOf(table);
  const parts = [
    ...byTask(table, findings, paint),
    ['', ...byHost(table, findings, paint)],
    leftBehind(end?.summary ?? []),
  ];
  const sections = parts.filter((lines) => lines.length > 0).map((lines) => `${lines.join('\n')}\n`);
  return `${sections.join('')}\n${totals(table, paint)}\n`;
}

/** The first line of an audit. */
export function auditTitle(run: Extract<StampedEvent, { type: 'run-started' }>): string {
  return `AUDIT ${visible(run.playbook)}: ${count(run.hosts.length, 'host')}, nothing will be changed (run ${run.runId})`;
}

function byTask(table: ResultTable, findings: readonly Finding[], paint: Paint): readonly (readonly string[])[] {
  const tasks = [...new Set(findings.map(({ task }) => task))];
  return tasks.map((index) => {
    const task = table.tasks[index];
    const title = `${task?.isHandler ? 'HANDLER' : 'TASK'} ${visible(task?.name ?? '')}`;
    const own = groupFindings(findings.filter((finding) => finding.task === index));
    const place = paint.dim(`  ${visible(task?.place ?? '')}`);
    return ['', `${paint.bold(title)}${place}`, ...taskLines(own, paint)];
  });
}

/** The findings of a task. Where each host has a long diff of its own, the first of them stand for all. */
function taskLines(groups: readonly FindingGroup[], paint: Paint): readonly string[] {
  const alike = new Map<string, FindingGroup[]>();
  for (const group of groups) {
    const isLong = group.changes.some(isLongText);
    const key = JSON.stringify([
      group.kind,
      group.item,
      isLong ? '' : group.hosts,
      ...group.changes.map(({ path }) => path),
    ]);
    alike.set(key, [...(alike.get(key) ?? []), group]);
  }
  return [...alike.values()].flatMap((own) => {
    const told = own.slice(0, ownDiffs).flatMap((group) => findingLines(group, paint));
    const left = own.slice(ownDiffs);
    return left.length === 0 ? told : [...told, ...leftOutLines(left, paint)];
  });
}

function leftOutLines(groups: readonly FindingGroup[], paint: Paint): readonly string[] {
  const hosts = groups.flatMap((group) => group.hosts);
  const paths = [...new Set(groups.flatMap(({ changes }) => changes.map(({ path }) => path)))].map(visible).join(', ');
  return [
    `${label(groups[0]?.kind ?? 'differs', paint)}${count(hosts.length, 'more host')}: ${paths}, another difference on each`,
    indent(paint.dim(hostList(hosts.map(visible))), margin),
  ];
}

function findingLines(finding: FindingGroup, paint: Paint): readonly string[] {
  const [head = '', ...rest] = sayings(finding, paint);
  const { hosts, hint } = finding;
  const names = hostList(hosts.map(visible));
  const who = hosts.length === 1 ? names : count(hosts.length, 'host');
  const lines = [`${label(finding.kind, paint)}${who}${head === '' ? '' : `: ${head}`}`];
  lines.push(...rest.map((line) => indent(line, margin)));
  if (hint !== undefined) lines.push(indent(`hint: ${visible(hint)}`, margin));
  if (hosts.length > 1) lines.push(indent(paint.dim(`on ${names}`), margin));
  return lines;
}

function label(kind: FindingKind, paint: Paint): string {
  const [word, outcome] = words[kind];
  return `  ${outcomePaint(outcome, paint)(word.padEnd(wordWidth))}  `;
}

/** What a finding says, line by line. */
function sayings({ changes, item, message }: FindingGroup, paint: Paint): readonly string[] {
  const prefix = item === undefined ? '' : `(item: ${visible(item)}) `;
  const lines = changes.flatMap((change) => changeLines(change, paint));
  if (changes.length === 0) lines.push(...cutMiddle(visible(message ?? ''), 12).split('\n'));
  const [first = '', ...rest] = lines;
  return [prefix + first, ...rest];
}

function changeLines(change: ChangeView, paint: Paint): readonly string[] {
  const path = visible(change.path);
  if (!isLongText(change)) {
    const { before, after } = shortly(showValue(change.before), showValue(change.after));
    return [`${path} ${paint.red(visible(before))} → ${paint.green(visible(after))}`];
  }
  const [, ...diff] = formatChange(shownChange(change), paint).split('\n');
  return [path, ...diff.map((line) => `  ${line}`)];
}

/** Of two tags of one image only the tag is told twice: `registry.k8s.io/pause:3.6 → 3.9`. */
function shortly(before: string, after: string): { before: string; after: string } {
  const name = /^[\w.-]+(?::\d+)?\/[\w./-]+:(?=[\w.-]+$)/.exec(before)?.[0];
  const isSameImage = name !== undefined && after.startsWith(name) && /^[\w.-]+$/.test(after.slice(name.length));
  return { before, after: isSameImage ? after.slice(name.length) : after };
}

function shownChange(change: ChangeView): ChangeView {
  const show = (value: unknown): unknown => (typeof value === 'string' ? visible(value) : value);
  return { path: visible(change.path), before: show(change.before), after: show(change.after) };
}

/** Hosts of the same standing, for the same reasons. */
interface Standing {
  readonly host: HostSummary;
  readonly tasks: readonly string[];
  readonly names: string[];
}

function byHost(table: ResultTable, findings: readonly Finding[], paint: Paint): readonly string[] {
  const tasksOf = new Map<string, Set<number>>();
  for (const { task, hosts } of findings) {
    for (const host of hosts) tasksOf.set(host, (tasksOf.get(host) ?? new Set()).add(task));
  }
  const groups = new Map<string, Standing>();
  for (const host of table.end?.summary ?? []) {
    const tasks = [...(tasksOf.get(host.host) ?? [])].sort((a, b) => a - b);
    const key = JSON.stringify([standingOf(host), tasks]);
    const names = tasks.map((index) => visible(table.tasks[index]?.name ?? ''));
    const group = groups.get(key) ?? { host, tasks: names, names: [] };
    group.names.push(visible(host.host));
    groups.set(key, group);
  }
  return [paint.bold('HOSTS'), ...standingLines([...groups.values()], paint)];
}

function standingLines(groups: readonly Standing[], paint: Paint): readonly string[] {
  const labels = groups.map(({ host }) => standingWord(host));
  const width = Math.max(0, ...labels.map((label) => label.length));
  const digits = Math.max(0, ...groups.map(({ names }) => String(names.length).length));
  return groups.map(({ host, tasks, names }, i) => {
    const word = outcomePaint(standingOf(host), paint)((labels[i] ?? '').padEnd(width));
    const size = `${String(names.length).padStart(digits)} ${names.length === 1 ? 'host ' : 'hosts'}`;
    const why = tasks.length === 0 ? '' : paint.dim(`: ${someTasks(tasks)}`);
    return `  ${word}  ${size}  ${hostList(names)}${why}`;
  });
}

function standingWord(host: HostSummary): string {
  const standing = standingOf(host);
  return standing === 'unknown' ? 'unknown' : stateWord(standing, true);
}

function someTasks(names: readonly string[]): string {
  const some = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${some} and ${count(names.length - 3, 'more task')}` : some;
}

function leftBehind(summary: readonly HostSummary[]): readonly string[] {
  const leases = summary.flatMap(({ host, leases: held }) => held.map(({ task }) => `STILL HELD ${host}: ${task}`));
  return leases.length === 0 ? [] : ['', ...leases.map(visible)];
}

function totals({ end }: ResultTable, paint: Paint): string {
  if (!end) return paint.red('the run did not come to its end');
  const standings = new Map<string, number>();
  for (const host of end.summary) standings.set(standingWord(host), (standings.get(standingWord(host)) ?? 0) + 1);
  const parts = [...standings].map(([word, n]) => `${n} ${word}`).join(', ') || 'none';
  const stop = end.stopReason === undefined ? '' : `stopped: ${visible(end.stopReason)}\n`;
  const time = formatDuration(end.durationMs);
  return `${stop}${count(end.summary.length, 'host')}: ${parts} in ${time}, exit ${end.exitCode}: ${meaning(end.exitCode)}`;
}

function meaning(exitCode: number): string {
  return exitCode === 0 ? 'nothing differs' : exitCodeMeaning(exitCode).replace('with --check: ', '');
}

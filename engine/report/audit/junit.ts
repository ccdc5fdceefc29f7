import { formatChange, isLongText, showValue } from '../diff.ts';
import { createPaint } from '../paint.ts';
import { visible } from '../text.ts';
import { type Cell, type DistinctResult, outcomeOf, type ResultTable, type TableTask } from './result-table.ts';

/**
 * An audit as JUnit XML, in the form that both the schema of Ant and that of Jenkins take: a suite a host, a case a task.
 * What differs or cannot be known is a failure, as in the exit code; what failed or could not be reached is an error.
 */
export function auditToJunit(table: ResultTable): string {
  const suites = table.hosts.map((host, i) => suite(table, host, i));
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites, '</testsuites>', ''].join('\n');
}

/** A case and what became of it. */
interface Case {
  readonly xml: string;
  readonly kind: 'failure' | 'error' | 'skipped' | 'passed';
  readonly durationMs: number;
}

function suite(table: ResultTable, host: string, index: number): string {
  const names = new Set<string>();
  const cases = [...(table.cells[index] ?? [])].map(([task, cell]) => {
    const ref = table.tasks[task];
    return testCase(table, cell, { host, name: uniqueName(ref, names), place: ref?.place ?? '' });
  });
  const n = (kind: Case['kind']): number => cases.filter((one) => one.kind === kind).length;
  // Without a zone, as the schema of Ant wants it: it is UTC.
  const timestamp = (table.run?.time ?? '1970-01-01T00:00:00').slice(0, 19);
  const time = seconds(cases.reduce((sum, { durationMs }) => sum + durationMs, 0));
  const attributes = {
    ...{ name: host, package: table.run?.playbook ?? '', id: String(index), hostname: host, timestamp, time },
    ...{ tests: String(cases.length), failures: String(n('failure')), errors: String(n('error')) },
    skipped: String(n('skipped')),
  };
  const body = cases.map(({ xml }) => xml);
  const head = ['  <properties>', `    <property${write({ name: 'run', value: table.run?.runId ?? '' })}/>`];
  const tail = ['    <system-out/>', '    <system-err/>'];
  return [`  <testsuite${write(attributes)}>`, ...head, '  </properties>', ...body, ...tail, '  </testsuite>'].join(
    '\n',
  );
}

/** Services tell cases apart by class and name: two tasks of one name are told apart by their places. */
function uniqueName(task: TableTask | undefined, taken: Set<string>): string {
  const name = task?.name ?? '';
  const unique = taken.has(name) ? `${name} (${task?.place ?? ''})` : name;
  taken.add(unique);
  return unique;
}

function testCase(table: ResultTable, cell: Cell, about: { host: string; name: string; place: string }): Case {
  const outcome = outcomeOf(table, cell);
  const all = cell.results.flatMap((index) => resultsIn(table, index));
  const told = all.filter((result) => result.outcome === outcome);
  const text = told.map((result) => describe(table, result)).join('\n');
  const attributes = { name: about.name, classname: about.host, time: seconds(cell.durationMs) };
  const { durationMs } = cell;
  const open = `    <testcase${write(attributes)}`;
  const whole = (kind: 'failure' | 'error', type: string): Case => {
    const message = text.split('\n', 1)[0] ?? '';
    const body = escape(`${text}\nat ${about.place}\n`);
    const xml = `${open}>\n      <${kind}${write({ type, message })}>${body}</${kind}>\n    </testcase>`;
    return { kind, durationMs, xml };
  };
  switch (outcome) {
    case 'changed':
      return whole('failure', 'differs');
    case 'unknown':
      return whole('failure', 'unknown');
    case 'failed':
    case 'unreachable':
      return whole('error', outcome);
    case 'skipped':
      return {
        kind: 'skipped',
        durationMs,
        xml: `${open}>\n      <skipped>${escape(text)}</skipped>\n    </testcase>`,
      };
    case 'ok':
    case 'rescued':
    case 'ignored':
      return { kind: 'passed', durationMs, xml: `${open}/>` };
  }
}

/** A result, or the turns of a loop instead of it. */
function resultsIn(table: ResultTable, index: number): readonly DistinctResult[] {
  const result = table.results[index];
  if (!result) return [];
  return result.items.length > 0 ? result.items.flatMap((item) => table.results[item] ?? []) : [result];
}

function describe(table: ResultTable, { changes, item, failure, message }: DistinctResult): string {
  const paint = createPaint(false);
  const texts = changes.flatMap((index) => {
    const change = table.changes[index];
    if (!change) return [];
    return isLongText(change)
      ? [formatChange(change, paint)]
      : [`${change.path}: ${showValue(change.before)} → ${showValue(change.after)}`];
  });
  const said = failure?.message ?? message;
  if (said !== undefined) texts.push(said);
  if (failure?.hint !== undefined) texts.push(`hint: ${failure.hint}`);
  const text = texts.join('\n');
  return item === undefined ? text : `(item: ${item}) ${text}`;
}

/** Seconds, with a point and never with an exponent. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function write(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeAttribute(value)}"`)
    .join('');
}

function escapeAttribute(text: string): string {
  return escape(text).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}

/** Text in XML 1.0. What it has no form for, control characters and halves of surrogate pairs, is made visible. */
function escape(text: string): string {
  return visible(text)
    .replace(/\p{Surrogate}|[\ufffe\uffff]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

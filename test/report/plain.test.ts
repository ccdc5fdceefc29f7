import { expect } from 'chai';
import type { StampedEvent, TaskResult } from '../../engine/base/events.ts';
import { createPlainReporter } from '../../engine/report/plain.ts';
import { change, counts, eventStream, nodes, taskRef, taskResult } from './event-stream.ts';
import { fakeOutput } from './fake-output.ts';

const changed = {
  outcome: 'changed',
  changes: [change('content', 'a\n', 'b\n'), change('mode', '0644', '0600')],
} as const;

describe('plain', () => {
  it('tells a run of one host', () => {
    const { events } = eventStream(['node-1'])
      .task('Gather facts', ['node-1'])
      .task('Write the config', ['node-1'], { 'node-1': { ...changed, durationMs: 2400 } })
      .end(0, { 'node-1': { state: 'changed', counts: counts({ ok: 1, changed: 1 }) } });
    expect(reportOf(events)).to.equal(`site.yaml: 1 host (run r1)

PLAY nodes on node-1
TASK Gather facts
ok: [node-1]
TASK Write the config
changed: [node-1] content, mode (2.4 s)

RECAP
  node-1  changed  ok=1  changed=1  failed=0

1 host: 1 changed (changed=1) in 1 min 5 s, exit 0: done
`);
  });

  it('tells diffs, failures with message, hint and place, and what was skipped and why', () => {
    const failure = {
      code: 'task-failed',
      message: 'systemctl start x: rc 1\nJob for x failed',
      hint: 'journalctl -u x',
    };
    const { events } = eventStream(nodes(3), { isDiff: true })
      .task('Start x', nodes(3), {
        'node-1': changed,
        'node-2': { outcome: 'failed', failure, attempts: 3 },
        'node-3': { outcome: 'skipped', message: 'facts.os == "debian" is false' },
      })
      .end(2, {
        'node-1': { state: 'changed', counts: counts({ changed: 1 }) },
        'node-2': { state: 'failed', counts: counts({ failed: 1 }), failure: { ...failure, task: 'Start x' } },
        'node-3': { state: 'ok', counts: counts({ skipped: 1 }) },
      });
    expect(reportOf(events)).to.equal(`site.yaml: 3 hosts (run r1)

PLAY nodes on node-1, node-2, node-3
TASK Start x
changed: [node-1]
    content:
    --- before
    +++ after
    @@ -1,1 +1,1 @@
    -a
    +b
    mode: 0644 → 0600
failed: [node-2] systemctl start x: rc 1
    Job for x failed
    hint: journalctl -u x
    at site.yaml:5:5, after 3 attempts
skipped: [node-3] (facts.os == "debian" is false)

RECAP
  node-1  changed  ok=0  changed=1  failed=0  skipped=0
  node-2  failed   ok=0  changed=0  failed=1  skipped=0
  node-3  ok       ok=0  changed=0  failed=0  skipped=1

FAILED Start x: node-2
    systemctl start x: rc 1
    Job for x failed
    hint: journalctl -u x

3 hosts: 1 changed, 1 failed, 1 ok (changed=1) in 1 min 5 s, exit 2: a host failed
`);
  });

  it('counts the items of many hosts each by itself', () => {
    const hosts = nodes(12);
    const stream = eventStream(hosts);
    const task = taskRef('Disks', 1);
    stream.add({ type: 'task-started', task, hosts, isHandler: false });
    for (const item of ['a', 'b']) {
      for (const host of hosts) stream.add({ type: 'item-ended', task, host, item, ...taskResult(changed) });
    }
    const told = reportOf(stream.end(0).events);
    expect(told).to.contain('changed: 11 more hosts (item: a), same changes\n');
    expect(told).to.contain('changed: 11 more hosts (item: b), same changes\n');
  });

  it('tells equal results of 100 hosts once and counts them, whatever the hosts are called', () => {
    const hosts = nodes(100);
    const failedOf = (host: string, i: number) =>
      ({
        outcome: 'failed',
        failure: { code: 'unreachable', message: `${host}: connect ECONNREFUSED 10.0.0.${i}:22` },
      }) as const;
    const results: Record<string, Partial<TaskResult>> = {};
    for (const [i, host] of hosts.entries()) {
      if (i < 3) results[host] = failedOf(host, i);
      else if (i < 43) results[host] = changed;
    }
    const { events } = eventStream(hosts).task('Install', hosts, results).end(2);
    const [, body = ''] = reportOf(events).split('PLAY nodes on 100 hosts\n');
    expect(body.split('\n\nRECAP')[0]).to.equal(`TASK Install
failed: [node-1] node-1: connect ECONNREFUSED 10.0.0.0:22
    at site.yaml:5:5
changed: [node-4] content, mode
failed: 2 more hosts, same error
changed: 39 more hosts, same changes
ok: 57 hosts`);
  });

  it('says "would change" in check mode, and why something is unknown', () => {
    const { events } = eventStream(nodes(2), { isCheckMode: true })
      .task('Write', nodes(2), {
        'node-1': changed,
        'node-2': { outcome: 'unknown', message: 'the unit is not there yet' },
      })
      .end(3, {
        'node-1': { state: 'changed', counts: counts({ changed: 1 }) },
        'node-2': { state: 'ok', counts: counts({ unknown: 1 }) },
      });
    expect(reportOf(events)).to.equal(`site.yaml: 2 hosts, check mode: nothing will be changed (run r1)

PLAY nodes on node-1, node-2
TASK Write
would change: [node-1] content, mode
unknown: [node-2] the unit is not there yet

RECAP (check mode, nothing was changed)
  node-1  would change  ok=0  would-change=1  failed=0  unknown=0
  node-2  ok            ok=0  would-change=0  failed=0  unknown=1

2 hosts: 1 would change, 1 ok (would-change=1) in 1 min 5 s, exit 3: something differs, or cannot be known
`);
  });

  it('puts a line under the header of its own task when tasks interleave', () => {
    const [a, lease] = [taskRef('Install', 1), taskRef('Drain', 2)];
    const stream = eventStream(nodes(2));
    stream.add({ type: 'task-started', task: a, hosts: nodes(2), isHandler: false });
    stream.add({ type: 'task-started', task: lease, hosts: ['node-1'], isHandler: false });
    stream.add({ type: 'task-started', task: lease, hosts: ['node-2'], isHandler: false });
    stream.add({ type: 'host-task-ended', task: lease, host: 'node-1', ...taskResult({ outcome: 'changed' }) });
    stream.add({ type: 'host-task-ended', task: a, host: 'node-1', ...taskResult({ outcome: 'changed' }) });
    stream.add({ type: 'host-task-ended', task: lease, host: 'node-2', ...taskResult({ outcome: 'changed' }) });
    stream.add({ type: 'host-task-ended', task: a, host: 'node-2', ...taskResult() });
    expect(reportOf(stream.events).split('node-1, node-2\n')[1]).to.equal(`TASK Install
TASK Drain
changed: [node-1]
TASK Install
changed: [node-1]
TASK Drain
changed: [node-2]
TASK Install
ok: [node-2]
`);
  });

  it("tells a loop's items and does not repeat them at the task's end", () => {
    const task = taskRef('Each');
    const stream = eventStream(['n']).add({ type: 'task-started', task, hosts: ['n'], isHandler: false });
    stream.add({ type: 'item-ended', task, host: 'n', item: 'a', ...taskResult() });
    stream.add({ type: 'item-ended', task, host: 'n', item: 'b', ...taskResult(changed) });
    stream.add({ type: 'host-task-ended', task, host: 'n', ...taskResult(changed) });
    expect(reportOf(stream.events)).to.match(/TASK Each\nchanged: \[n\] \(item: b\) content, mode\n$/);
  });

  it('shows control characters of a host instead of obeying them', () => {
    const message = 'no\u001b[2J\u001b]0;pwned\u0007 space\nleft\u202e';
    const { events } = eventStream(['n'])
      .task('t', ['n'], { n: { outcome: 'failed', failure: { code: 'task-failed', message } } })
      .end(2, { n: { state: 'failed', failure: { code: 'task-failed', message, task: 't' } } });
    const report = reportOf(events);
    expect(report).to.include('failed: [n] no\\x1b[2J\\x1b]0;pwned\\x07 space\n    left\\u202e');
    expect(report).not.to.match(/[\u001b\u0007\u202e]/);
  });

  describe('of hosts that are not in step', () => {
    /** Each host runs two tasks on its own, one host after the other. */
    const oneByOne = (hosts: readonly string[], failing: readonly string[]): string => {
      const stream = eventStream(hosts, { isInStep: false });
      const step = (name: string, number: number, host: string, result: Partial<TaskResult> = {}): void => {
        const task = taskRef(name, number);
        stream.add({ type: 'task-started', task, hosts: [host], isHandler: false });
        stream.add({ type: 'host-task-started', task, host });
        stream.add({ type: 'host-task-ended', task, host, ...taskResult(result) });
      };
      const failure = { code: 'task-failed', message: 'broken' };
      for (const host of hosts) {
        step('Look', 1, host);
        if (failing.includes(host)) step('Work', 2, host, { outcome: 'failed', failure });
        else step('Work', 2, host, changed);
      }
      stream.add({ type: 'play-ended', id: 'play-1' });
      return reportOf(stream.events).split(/ on .*\n/)[1] ?? '';
    };

    it('few: tells each result as it comes, under its task', () =>
      expect(oneByOne(nodes(2), ['node-2'])).to.equal(`TASK Look
ok: [node-1]
TASK Work
changed: [node-1] content, mode
TASK Look
ok: [node-2]
TASK Work
failed: [node-2] broken
    at site.yaml:6:5
`));

    it('many: counts equal results at the end of the play, but tells each failure at once', () =>
      expect(oneByOne(nodes(30), ['node-2', 'node-9'])).to.equal(`TASK Work
changed: [node-1] content, mode
failed: [node-2] broken
    at site.yaml:6:5
failed: [node-9] broken
    at site.yaml:6:5
TASK Look
ok: 30 hosts
TASK Work
changed: 27 more hosts, same changes
`));
  });

  it('tells what a host waits for', () => {
    const stream = eventStream(nodes(2), { isInStep: false });
    stream.add({ type: 'host-waiting', host: 'node-2', reason: 'at most 1 with zone = a at a time' });
    expect(reportOf(stream.events)).to.contain('waits: [node-2] at most 1 with zone = a at a time\n');
  });

  it('tells warnings, batches, handlers, delegation, leases and why a run stops', () => {
    const handler = { ...taskRef('Restart x', 9), id: 'play-1/handlers/1' };
    const stream = eventStream(nodes(2));
    stream.add({ type: 'warning', diagnostic: { severity: 'warning', message: 'no host has facts' } });
    stream.add({ type: 'batch-started', number: 1, of: 2, hosts: ['node-1'] });
    stream.add({ type: 'task-started', task: handler, hosts: ['node-1'], isHandler: true });
    stream.add({
      type: 'host-task-ended',
      task: handler,
      host: 'node-1',
      delegatedTo: 'localhost',
      ...taskResult({ outcome: 'changed', unverified: 'a command has no state' }),
    });
    stream.add({ type: 'lease-kept', task: taskRef('Drain'), host: 'node-1', grant: {}, reason: 'node-1 was changed' });
    stream.add({ type: 'stopping', reason: 'node-1 failed' });
    expect(reportOf(stream.events).split('node-1, node-2\n')[1]).to.equal(`warning: no host has facts
BATCH 1 of 2: node-1
HANDLER Restart x
changed: [node-1 on localhost]
    cannot be verified: a command has no state
lease kept: [node-1] Drain: node-1 was changed
STOPPING: node-1 failed
`);
  });
});

function reportOf(events: readonly StampedEvent[]): string {
  const output = fakeOutput();
  const reporter = createPlainReporter(output, Date, () => () => {});
  for (const event of events) reporter.on(event);
  return output.text;
}

import { expect } from 'chai';
import type { StampedEvent } from '../../../engine/base/events.ts';
import { createAuditReporter } from '../../../engine/report/audit/reporter.ts';
import { recordedAudit } from '../../browser/recorded-runs.ts';
import { change, counts, eventStream, nodes, taskRef, taskResult } from '../event-stream.ts';
import { fakeOutput } from '../fake-output.ts';

const check = { isCheckMode: true, isDiff: true };

describe('audit as text', () => {
  it('tells an equal finding once, with its hosts, and each host with its standing', () => {
    const deviations = Object.fromEntries(Array.from({ length: 41 }, (_, i) => [i, 'drifted' as const]));
    const stream = recordedAudit({
      hosts: 60,
      tasks: 15,
      deviations: { ...deviations, 45: 'unknown', 46: 'failed', 47: 'unreachable' },
    });
    const lines = told(stream.events).split('\n');
    expect(lines[0]).to.equal('AUDIT site.yaml: 60 hosts, nothing will be changed (run r1)');
    expect(lines).to.include.members([
      'TASK Gather facts  playbooks/containerd.yaml:12:7',
      '  unreachable  n48: connect ETIMEDOUT 10.0.0.7:22',
      '               hint: look at the host itself',
      'TASK Configure containerd  playbooks/containerd.yaml:40:7',
      '  differs      41 hosts: sandbox_image registry.k8s.io/pause:3.6 → 3.9',
      '                 -  SystemdCgroup = false',
      '                 +  SystemdCgroup = true',
      '               on n[01:41]',
      '  unknown      n46: may run: runtime.rc is known only when "containerd is installed" has run',
    ]);
    expect(lines.slice(lines.indexOf('HOSTS') + 1)).to.deep.equal([
      '  would change  41 hosts  n[01:41]: Configure containerd, containerd runs',
      '  ok            16 hosts  n[42:45], n[49:60]',
      '  unknown        1 host   n46: containerd runs',
      '  failed         1 host   n47: Packages of the runtime',
      '  unreachable    1 host   n48: Gather facts',
      '',
      '60 hosts: 41 would change, 16 ok, 1 unknown, 1 failed, 1 unreachable in 1 min 5 s, exit 2: a host failed',
      '',
    ]);
  });

  it('says that nothing differs, and no more, where nothing does', () => {
    const stream = eventStream(nodes(3), check).task('t', nodes(3)).end(0);
    expect(told(stream.events)).to.equal(
      'AUDIT site.yaml: 3 hosts, nothing will be changed (run r1)\n\nHOSTS\n  ok  3 hosts  node-[1:3]\n\n' +
        '3 hosts: 3 ok in 1 min 5 s, exit 0: nothing differs\n',
    );
  });

  it('groups errors and unknowns that differ only in the name and address of their host', () => {
    const results = Object.fromEntries(
      nodes(4).map((host, i) => [
        host,
        {
          outcome: 'unreachable' as const,
          failure: { code: 'unreachable', message: `${host}: no route to 10.0.0.${i}` },
        },
      ]),
    );
    expect(told(eventStream(nodes(4), check).task('t', nodes(4), results).end(4).events)).to.include(
      '  unreachable  4 hosts: node-1: no route to 10.0.0.0\n               on node-[1:4]\n',
    );
  });

  it('shows three diffs of hosts that each have their own, and names the others', () => {
    const results = Object.fromEntries(
      nodes(9).map((host) => [
        host,
        { outcome: 'changed' as const, changes: [change('content', 'a\nb\n', `a\n${host}\n`)] },
      ]),
    );
    const text = told(eventStream(nodes(9), check).task('t', nodes(9), results).end(3).events);
    expect(text.match(/\+node-\d/g)).to.deep.equal(['+node-1', '+node-2', '+node-3']);
    expect(text).to.include('6 more hosts: content, another difference on each\n               node-[4:9]\n');
  });

  it('says which item of a loop differs, and shortens nothing but the tag of an image', () => {
    const task = taskRef('t');
    const changes = [change('version', '1.7.1', '1.7.2'), change('image', 'a/b:1', 'a/c:1')];
    const stream = eventStream(['a'], check)
      .add({ type: 'item-ended', task, host: 'a', item: 'x', ...taskResult({ outcome: 'changed', changes }) })
      .add({ type: 'host-task-ended', task, host: 'a', ...taskResult({ outcome: 'changed', changes }) })
      .end(3);
    expect(told(stream.events)).to.include(
      '  differs      a: (item: x) version 1.7.1 → 1.7.2\n               image a/b:1 → a/c:1\n',
    );
  });

  it('lets nothing that a host writes move the cursor or reorder a line', () => {
    const evil = '\u001b[2J\u202e';
    const results = {
      a: { outcome: 'changed' as const, changes: [change(evil, evil, evil)] },
      [evil]: { outcome: 'failed' as const, failure: { code: 'task-failed', message: evil, hint: evil } },
    };
    const text = told(eventStream(['a', evil], check).task(evil, ['a', evil], results).end(2).events);
    expect(text)
      .to.include('\\x1b[2J\\u202e')
      .and.not.to.match(/[\u001b\u202e]/);
  });

  it('says why a run stopped and which leases are still held', () => {
    const stream = eventStream(['a'], check).end(130, {
      a: { state: 'interrupted', counts: counts({}), leases: [{ task: 'Drain', reason: 'r' }] },
    });
    const last = stream.events.at(-1);
    const events = [...stream.events.slice(0, -1), { ...last, stopReason: 'interrupted' } as StampedEvent];
    expect(told(events))
      .to.include('STILL HELD a: Drain')
      .and.to.include('stopped: interrupted\n1 host: 1 interrupted');
  });

  for (const kind of ['json', 'junit', 'sarif'] as const) {
    it(`writes ${kind} alone to standard output, at the end`, () => {
      const output = fakeOutput({ isTTY: true });
      const errors = fakeOutput();
      const reporter = reporterOf(kind, output, errors);
      const { events } = eventStream(nodes(2), check).task('t', nodes(2)).end(0);
      for (const event of events.slice(0, -1)) reporter.on(event);
      reporter.note('finishing tasks in flight');
      expect([output.text, errors.text]).to.deep.equal(['', 'finishing tasks in flight\n']);
      for (const event of events.slice(-1)) reporter.on(event);
      expect(output.text).to.match(kind === 'junit' ? /^<\?xml.*<\/testsuites>\n$/s : /^\{.*\}\n$/s);
    });
  }
});

function told(events: readonly StampedEvent[]): string {
  const output = fakeOutput();
  const reporter = reporterOf('plain', output, fakeOutput());
  for (const event of events) reporter.on(event);
  return output.text;
}

function reporterOf(
  kind: Parameters<typeof createAuditReporter>[0],
  output: ReturnType<typeof fakeOutput>,
  errors: ReturnType<typeof fakeOutput>,
) {
  return createAuditReporter(kind, { output, errors, env: {}, clock: { now: () => 0 }, version: '1.2.3' });
}

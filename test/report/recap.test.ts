import { expect } from 'chai';
import type { HostSummary } from '../../engine/base/events.ts';
import { createPaint } from '../../engine/report/paint.ts';
import { formatRecap } from '../../engine/report/recap.ts';
import { counts, nodes } from './event-stream.ts';

describe('recap', () => {
  it('lists every host up to 30, then only those that are not plainly ok', () => {
    expect(recap(nodes(30).map((host) => summary(host)))).to.include('  node-30  ok  ok=2');
    const many = nodes(100).map((host) => summary(host));
    many[6] = summary('node-7', { state: 'changed', counts: counts({ changed: 1 }) });
    many[7] = summary('node-8', { pendingHandlers: ['restart x'] });
    expect(hostLines(recap(many))).to.deep.equal([
      '  node-7  changed  ok=0  changed=1  failed=0',
      '  node-8  ok       ok=2  changed=0  failed=0',
      '  98 other hosts: ok',
    ]);
  });

  it('says only how many hosts there are when all of many are ok', () => {
    expect(hostLines(recap(nodes(100).map((host) => summary(host))))).to.deep.equal(['  100 hosts: ok']);
  });

  it('tells an error of many hosts once, with the first names', () => {
    const text = recap(
      nodes(214).map((host, i) =>
        summary(host, {
          state: 'unreachable',
          failure: {
            code: 'unreachable',
            task: 'Gather facts',
            message: `no route to ${host} (10.0.${i >> 8}.${i & 255})`,
          },
        }),
      ),
      4,
    );
    expect(text).to.include(
      'FAILED Gather facts: 214 hosts, same error (node-1, node-2, node-3, node-4, node-5 and 209 more)\n' +
        '    no route to node-1 (10.0.0.0)\n',
    );
    expect(text.match(/no route/g)).to.have.length(1);
    expect(text).to.include(
      '214 hosts: 214 unreachable (changed=0) in 4.2 s, exit 4: a host was unreachable, none failed',
    );
  });

  it('names handlers that did not run and leases that are still held', () => {
    const left = { pendingHandlers: ['restart x'], leases: [{ task: 'Drain', reason: 'the node was changed' }] };
    const text = recap([summary('a', left), summary('b', left), summary('c')], 2);
    expect(text).to.include('HANDLER NOT RUN restart x: a, b\nSTILL HELD a, b: Drain: the node was changed\n');
  });

  it('names hosts that were interrupted or never had their turn, and why the run stopped', () => {
    const hosts = [summary('a', { state: 'interrupted' }), summary('b', { state: 'not-started', counts: counts({}) })];
    const text = recap(hosts, 130, 'interrupted');
    expect(hostLines(text)).to.deep.equal([
      '  a  interrupted  ok=2  changed=0  failed=0',
      '  b  not started  ok=0  changed=0  failed=0',
    ]);
    expect(text).to.match(/stopped: interrupted\n2 hosts: 1 interrupted, 1 not started .* exit 130: interrupted\n$/);
  });

  it('survives a run without hosts', () => {
    expect(recap([])).to.equal('\nRECAP\n\n0 hosts: none (changed=0) in 4.2 s, exit 0: done\n');
  });
});

function summary(host: string, some: Partial<HostSummary> = {}): HostSummary {
  return { host, state: 'ok', counts: counts({ ok: 2 }), pendingHandlers: [], leases: [], ...some };
}

function recap(hosts: readonly HostSummary[], exitCode = 0, stopReason?: string): string {
  return formatRecap(
    { type: 'run-ended', exitCode, durationMs: 4200, summary: hosts, ...(stopReason !== undefined && { stopReason }) },
    { isCheckMode: false, paint: createPaint(false) },
  );
}

function hostLines(text: string): string[] {
  return text.split('\n\n')[0]?.split('\n').slice(2) ?? [];
}

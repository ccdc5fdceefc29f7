import { expect } from 'chai';
import type { StampedEvent } from '../../../engine/base/events.ts';
import { createResultTable, outcomeOf } from '../../../engine/report/audit/result-table.ts';
import { recordedAudit } from '../../browser/recorded-runs.ts';
import { change, eventStream, nodes, taskRef, taskResult } from '../event-stream.ts';

describe('result table', () => {
  it('keeps an equal result and an equal change once, however many hosts have it', () => {
    const drift = change('content', 'old\n'.repeat(1000), 'new\n'.repeat(1000));
    const results = Object.fromEntries(
      // Each host sends a change of its own that is equal to the others'.
      nodes(500).map((host) => [host, { outcome: 'changed' as const, changes: [structuredClone(drift)] }]),
    );
    const table = tableOf(eventStream(nodes(500)).task('t', nodes(500), results).end(3).events);
    expect(table.changes).to.have.length(1);
    expect(table.results).to.have.length(1);
    expect(table.cells).to.have.length(500);
  });

  it('keeps one copy of a change that is part of different results', () => {
    const same = change('mode', '0600', '0644');
    const stream = eventStream(['a', 'b']).task('t', ['a', 'b'], {
      a: { outcome: 'changed', changes: [same] },
      b: { outcome: 'changed', changes: [{ ...same }, change('owner', 'x', 'root')] },
    });
    const table = tableOf(stream.events);
    expect(table.results.map(({ changes }) => changes)).to.deep.equal([[0], [0, 1]]);
    expect(table.changes).to.have.length(2);
  });

  it('tells 1 from "1" and from a whole number of an expression, and nothing from null', () => {
    const values = [1, '1', 1n, null];
    const stream = eventStream(nodes(4)).task(
      't',
      nodes(4),
      Object.fromEntries(
        nodes(4).map((host, i) => [host, { outcome: 'changed', changes: [change('p', 0, values[i])] }]),
      ),
    );
    expect(tableOf(stream.events).changes.map(({ after }) => after)).to.deep.equal(values);
  });

  it('has the turns of a loop instead of its changes', () => {
    const task = taskRef('t');
    const changes = [change('p', 1, 2)];
    const stream = eventStream(['a'])
      .add({ type: 'item-ended', task, host: 'a', item: 'x', ...taskResult({ outcome: 'changed', changes }) })
      .add({ type: 'item-ended', task, host: 'a', item: 'y', ...taskResult() })
      .add({ type: 'host-task-ended', task, host: 'a', ...taskResult({ outcome: 'changed', changes }) });
    const table = tableOf(stream.events);
    const whole = table.results[table.cells[0]?.get(0)?.results[0] ?? -1];
    expect(whole).to.deep.include({ outcome: 'changed', changes: [], items: [0, 1] });
    expect(table.results[0]).to.deep.include({ item: 'x', changes: [0] });
  });

  it('has all of what a task came to on a host that ran it several times, and the worst of it', () => {
    const stream = eventStream(['a']);
    const task = taskRef('restart');
    stream.add({ type: 'task-started', task, hosts: ['a'], isHandler: true });
    for (const outcome of ['ok', 'changed', 'ok'] as const) {
      stream.add({ type: 'host-task-ended', task, host: 'a', ...taskResult({ outcome }) });
    }
    const table = tableOf(stream.events);
    const cell = table.cells[0]?.get(0);
    expect(cell).to.deep.equal({ results: [0, 1, 0], durationMs: 120 });
    expect(cell && outcomeOf(table, cell)).to.equal('changed');
    expect(table.tasks).to.deep.equal([{ ...task, play: 'nodes', isHandler: true }]);
  });

  it('has hosts that the run added after those of the inventory', () => {
    const stream = eventStream(['a']);
    stream.add({ type: 'play-started', id: 'p2', name: 'more', hosts: ['new', 'a'], taskCount: 1, isInStep: true });
    expect(tableOf(stream.task('t', ['new']).events).hosts).to.deep.equal(['a', 'new']);
  });

  it('grows with what differs, not with hosts: 60,000 results of 1,000 hosts are a dozen', () => {
    const deviations = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [i, 'drifted' as const]));
    const table = tableOf(recordedAudit({ hosts: 1000, tasks: 60, deviations }).events);
    expect(table.results.length).to.be.below(12);
    expect(table.changes).to.have.length(3);
  });
});

function tableOf(events: readonly StampedEvent[]) {
  const { on, table } = createResultTable();
  for (const event of events) on(event);
  return table;
}

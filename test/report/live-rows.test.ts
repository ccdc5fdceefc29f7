import { expect } from 'chai';
import type { StampedEvent } from '../../engine/base/events.ts';
import { liveRows } from '../../engine/report/live-rows.ts';
import { advance, createLiveState, describeLeftBehind, type LiveState } from '../../engine/report/live-state.ts';
import { createPaint } from '../../engine/report/paint.ts';
import { type EventStream, eventStream, nodes, taskRef, taskResult } from './event-stream.ts';

const wait = taskRef('Wait for the node', 2);

describe('live rows', () => {
  it('show for each of a few hosts its task, its age and what it waits for', () => {
    const stream = eventStream(nodes(2)).task('Install', nodes(2), { 'node-1': { outcome: 'changed' } });
    begin(stream, ['node-2']).wait(1000);
    const sinceMs = Date.parse(last(stream).time) + 1000;
    const deadlineMs = sinceMs + 600_000;
    stream.add({
      type: 'host-task-progress',
      task: wait,
      host: 'node-2',
      text: 'waiting for Ready',
      sinceMs,
      deadlineMs,
    });
    expect(rowsAfter(stream, 41_000)).to.deep.equal([
      '· node-1  changed  Install',
      '* node-2  Wait for the node  42 s  waiting for Ready, 41 s of 600 s',
      '* nodes  task 2 of 4  2 hosts, 1 busy  ok 1 changed 1  42 s',
    ]);
  });

  it('do not flash what a quick task waits for', () => {
    const stream = begin(eventStream(['n']), ['n']);
    stream.add({ type: 'host-task-progress', task: wait, host: 'n', text: 'waiting for Ready', sinceMs: 0 });
    expect(rowsAfter(stream, 1000)[0]).to.equal('* n  Wait for the node  1 s');
  });

  it('count from the beginning of the wait, whatever the reason is by now', () => {
    const stream = begin(eventStream(['n']), ['n']);
    const sinceMs = Date.parse(last(stream).time);
    const deadlineMs = sinceMs + 60_000;
    for (let i = 0; i < 3; i++) {
      stream
        .add({ type: 'host-task-progress', task: wait, host: 'n', text: `try ${i}`, sinceMs, deadlineMs })
        .wait(5000);
    }
    expect(rowsAfter(stream, 0)[0]).to.equal('* n  Wait for the node  10 s  try 2, 10 s of 60 s');
  });

  it('show counters per task for many hosts, and the slowest of them', () => {
    const hosts = nodes(600);
    const stream = begin(eventStream(hosts), hosts);
    for (const [i, host] of hosts.slice(0, 550).entries()) {
      const outcome = i < 70 ? 'changed' : i < 72 ? 'failed' : 'ok';
      stream.add({ type: 'host-task-ended', task: wait, host, ...taskResult({ outcome }) });
    }
    expect(rowsAfter(stream, 9000)).to.deep.equal([
      '* Wait for the node  ok 478 changed 70 failed 2  running 50/600  slowest node-551 9 s',
      '* nodes  task 1 of 4  600 hosts, 50 busy  ok 478 changed 70 failed 2  9 s',
    ]);
  });

  it('out of step show hosts that wait, how many batches are done, and only tasks that are running', () => {
    const hosts = nodes(3);
    const stream = eventStream(hosts, { isInStep: false });
    stream.add({ type: 'batch-started', number: 1, of: 3, hosts: ['node-1'] }).task('Done', ['node-1']);
    stream.add({ type: 'batch-ended', number: 1 });
    stream.add({ type: 'host-waiting', host: 'node-2', reason: 'at most 1 with zone = a at a time' });
    stream.add({ type: 'batch-started', number: 2, of: 3, hosts: ['node-3'] });
    begin(stream, ['node-3']);
    expect(rowsAfter(stream, 0)).to.deep.equal([
      '· node-1  ok  Done',
      '· node-2  waits: at most 1 with zone = a at a time',
      '* node-3  Wait for the node  0 s',
      '* nodes  batch 2 of 3, 1 done  3 hosts, 1 busy  ok 1  0 s',
    ]);
    stream.add({ type: 'batch-started', number: 3, of: 3, hosts: ['node-2'] });
    expect(rowsAfter(stream, 0)[1]).to.equal('· node-2  ');
  });

  it('count a task of many hosts out of step over all of them', () => {
    const hosts = nodes(600);
    const stream = eventStream(hosts, { isInStep: false });
    stream.task('Done', hosts.slice(0, 2));
    for (const host of hosts.slice(0, 3)) {
      begin(stream, [host]);
      if (host !== 'node-3') stream.add({ type: 'host-task-ended', task: wait, host, ...taskResult() });
    }
    expect(rowsAfter(stream, 0)).to.deep.equal([
      '* Wait for the node  ok 2  running 1/3',
      '* nodes  600 hosts, 1 busy  ok 4  0 s',
    ]);
  });

  it('show hosts that a play adds', () => {
    const stream = eventStream(nodes(1));
    stream.add({ type: 'play-started', id: 'play-2', name: 'more', hosts: ['new'], taskCount: 1, isInStep: true });
    expect(rowsAfter(stream, 0).slice(0, 2)).to.deep.equal(['· node-1  ', '· new     ']);
  });

  it('show the lease that is taken in the midst of a task, then the task again', () => {
    const lease = taskRef('Drain', 9);
    const stream = begin(eventStream(['n']), ['n']);
    stream.add({ type: 'task-started', task: lease, hosts: ['n'], isHandler: false });
    stream.add({ type: 'host-task-started', task: lease, host: 'n' });
    expect(rowsAfter(stream, 0)[0]).to.equal('* n  Drain  0 s');
    stream.add({ type: 'host-task-ended', task: lease, host: 'n', ...taskResult({ outcome: 'changed' }) });
    expect(rowsAfter(stream, 0)[0]).to.equal('* n  Wait for the node  0 s');
  });

  it('are never wider than the terminal, and never taller than a line each', () => {
    const stream = begin(eventStream(nodes(3)), nodes(3)).wait(5000);
    const text = 'a very long story\nin many lines \u001b[2J';
    for (const host of nodes(3)) stream.add({ type: 'host-task-progress', task: wait, host, text, sinceMs: 0 });
    for (const row of rowsAfter(stream, 3000, 40)) {
      expect(row.length).to.be.at.most(40);
      expect(row).not.to.match(/[\n\u001b]/);
    }
  });
});

describe('what is left behind', () => {
  it('is every task in flight and every lease that is held', () => {
    const stream = begin(eventStream(nodes(2)), ['node-1']);
    stream.add({ type: 'lease-taken', task: taskRef('Drain', 9), host: 'node-2', grant: {} });
    expect(describeLeftBehind(stateAfter(stream.events))).to.deep.equal([
      'in flight: [node-1] Wait for the node',
      'still held: [node-2] Drain',
    ]);
  });

  it('is nothing once the lease is given back and the run has ended', () => {
    const stream = eventStream(nodes(2));
    stream.add({ type: 'lease-taken', task: taskRef('Drain', 9), host: 'node-2', grant: {} });
    stream.add({ type: 'lease-released', task: taskRef('Drain', 9), host: 'node-2', grant: {} });
    expect(describeLeftBehind(stateAfter(stream.events))).to.deep.equal([]);
    expect(describeLeftBehind(stateAfter(begin(stream, ['node-1']).end(130).events))).to.deep.equal([]);
  });
});

function begin(stream: EventStream, hosts: readonly string[]): EventStream {
  stream.add({ type: 'task-started', task: wait, hosts, isHandler: false });
  for (const host of hosts) stream.add({ type: 'host-task-started', task: wait, host });
  return stream;
}

function last(stream: EventStream): StampedEvent {
  const event = stream.events.at(-1);
  if (!event) throw new Error('no event');
  return event;
}

function stateAfter(events: readonly StampedEvent[]): LiveState {
  const state = createLiveState();
  for (const event of events) advance(state, event);
  return state;
}

function rowsAfter(stream: EventStream, afterMs: number, width = 120): string[] {
  const nowMs = Date.parse(last(stream).time) + afterMs;
  return liveRows(stateAfter(stream.events), { width, nowMs, paint: createPaint(false), wheel: '*' });
}

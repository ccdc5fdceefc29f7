import { expect } from 'chai';
import type { RunEvent } from '../../engine/base/events.ts';
import { advance, createLiveState } from '../../engine/report/live-state.ts';
import { createPlainReporter } from '../../engine/report/plain.ts';
import { createTerminalReporter } from '../../engine/report/terminal.ts';
import { describeWaits } from '../../engine/report/waits.ts';
import { type EventStream, eventStream, nodes, taskRef, taskResult } from './event-stream.ts';
import { fakeOutput, screenOf } from './fake-output.ts';

const start = Date.UTC(2026, 0, 2, 3, 4, 5);
const drain = taskRef('Drain', 2);

describe('a silence of ten seconds', () => {
  it('is broken by what is waited for, again every 30 s, and at once when that changes', () => {
    const run = startPlain(begin(eventStream(['node-3']), ['node-3']));
    run.send(waiting('node-3', 'waiting for eviction of web-5f (PodDisruptionBudget web)', 600));
    run.tick(1, 41);
    expect(run.said()).to.deep.equal([
      'node-3: waiting for eviction of web-5f (PodDisruptionBudget web), 10 s of 600 s',
      'node-3: waiting for eviction of web-5f (PodDisruptionBudget web), 40 s of 600 s',
    ]);
    run.send(waiting('node-3', 'waiting for eviction of db-0', 600));
    run.tick(42, 60);
    expect(run.said()).to.deep.equal(['node-3: waiting for eviction of db-0, 50 s of 600 s']);
  });

  it('begins anew with everything that is said', () => {
    const run = startPlain(begin(eventStream(nodes(2)), nodes(2)));
    run.tick(1, 9);
    run.send({ type: 'host-task-ended', task: drain, host: 'node-1', ...taskResult({ outcome: 'changed' }) });
    run.said();
    run.tick(10, 18);
    expect(run.said()).to.deep.equal([]);
    run.tick(19, 19);
    expect(run.said()).to.deep.equal(['node-2: Drain, 19 s']);
  });

  it('is not broken when there is nothing to wait for, nor after the end', async () => {
    const run = startPlain(eventStream(nodes(2)));
    run.tick(1, 60);
    expect(run.said()).to.deep.equal([]);
    await run.reporter.close();
    expect(run.isBeating()).to.equal(false);
  });

  it('is not made longer by a clock that is set back', () => {
    const run = startPlain(begin(eventStream(['n']), ['n']));
    run.tick(-3600, -3600);
    run.tick(-3590, -3590);
    expect(run.said()).to.deep.equal(['n: Drain, 0 s']);
  });

  it('is broken above the live rows, too', async () => {
    const output = fakeOutput({ isTTY: true, columns: 100 });
    let tick = (): void => {};
    let now = start;
    const reporter = createTerminalReporter(output, { now: () => now }, (beat) => {
      tick = beat;
      return () => {};
    });
    const stream = begin(eventStream(['node-3']), ['node-3']).add(waiting('node-3', 'waiting for Ready', 60));
    for (const event of stream.events) reporter.on(event);
    now += 10_000;
    tick();
    await until(() => output.text.includes('10 s of 60 s'));
    await until(() => screenOf(output.text).lines.includes('node-3: waiting for Ready, 10 s of 60 s'));
    await reporter.close();
  });
});

describe('what is waited for', () => {
  it('is told together for hosts that wait for the same', () => {
    const hosts = nodes(20);
    const stream = begin(eventStream(hosts), hosts);
    for (const host of hosts.slice(0, 17))
      stream.add(waiting(host, `connecting to ops@${host}:22 (authentication)`, 20));
    stream.add(waiting('node-18', 'waiting for Ready', 60)).add(waiting('node-19', 'waiting for Ready', 60));
    expect(describeAfter(stream, 12)).to.deep.equal([
      '17 hosts: connecting to ops@node-1:22 (authentication), 12 s of 20 s',
      'node-18, node-19: waiting for Ready, 12 s of 60 s',
      'node-20: Drain, 12 s',
    ]);
  });

  it('is over when the task says so', () => {
    const stream = begin(eventStream(['n']), ['n']).add(waiting('n', 'connecting', 20));
    stream.add({ type: 'host-task-progress', task: drain, host: 'n', text: '', sinceMs: start });
    expect(describeAfter(stream, 12)).to.deep.equal(['n: Drain, 12 s']);
  });

  it('is the step in hand, and its deadline', () => {
    const stream = begin(eventStream(['n']), ['n']);
    const step = { task: drain, host: 'n', step: 'restarting containerd' };
    stream.add({ type: 'step-started', ...step, deadlineMs: start + 90_000 });
    expect(describeAfter(stream, 12)).to.deep.equal(['n: restarting containerd, 12 s of 90 s']);
    stream.add(waiting('n', 'waiting for the connection to come back', 120));
    expect(describeAfter(stream, 12)).to.deep.equal(['n: waiting for the connection to come back, 12 s of 120 s']);
    stream.add({ type: 'host-task-progress', task: drain, host: 'n', text: '', sinceMs: start });
    expect(describeAfter(stream, 12)).to.deep.equal(['n: restarting containerd, 12 s of 90 s']);
    stream.add({ type: 'step-ended', ...step, rc: 0, durationMs: 12_000 });
    expect(describeAfter(stream, 12)).to.deep.equal(['n: Drain, 12 s']);
  });

  it('is their turn, for hosts that a throttle or the forks keep back', () => {
    const stream = eventStream(nodes(6));
    stream.add({ type: 'task-started', task: drain, hosts: nodes(6), isHandler: false });
    stream.add({ type: 'host-task-started', task: drain, host: 'node-1' });
    expect(describeAfter(stream, 12)).to.deep.equal(['node-1: Drain, 12 s', '5 hosts: waiting for their turn']);
  });

  it('is what the run waits for as a whole, until that has passed', () => {
    const stream = eventStream(nodes(2));
    stream.add({ type: 'bake-started', number: 1, of: 2, hosts: ['node-1'], waitMs: 60_000, tasks: [] });
    expect(describeAfter(stream, 12)).to.deep.equal(['watching batch 1 before the next one starts, 12 s of 60 s']);
    expect(describeAfter(stream, 61)).to.deep.equal([]);
    stream.add({ type: 'run-waiting', text: 'inventory program hosts.py', sinceMs: start });
    expect(describeAfter(stream, 61)).to.deep.equal(['inventory program hosts.py, 61 s']);
    stream.add({ type: 'run-wait-over', text: 'inventory program hosts.py' });
    expect(describeAfter(stream, 61)).to.deep.equal([]);
  });

  it('fits on a few lines, whatever the number of hosts', () => {
    const stream = begin(eventStream(nodes(100)), nodes(100));
    for (const [i, host] of nodes(100).entries()) stream.add(waiting(host, `waiting for pod ${i}`, 60));
    const lines = describeAfter(stream, 12);
    expect(lines).to.have.length(6);
    expect(lines.at(-1)).to.equal('95 more hosts: waiting for something else each');
  });
});

function begin(stream: EventStream, hosts: readonly string[]): EventStream {
  stream.add({ type: 'task-started', task: drain, hosts, isHandler: false });
  for (const host of hosts) stream.add({ type: 'host-task-started', task: drain, host });
  return stream;
}

function waiting(host: string, text: string, seconds: number): RunEvent {
  const deadlineMs = start + seconds * 1000;
  return { type: 'host-task-progress', task: drain, host, text, sinceMs: start, deadlineMs };
}

function describeAfter(stream: EventStream, seconds: number): readonly string[] {
  const state = createLiveState();
  for (const event of stream.events) advance(state, event);
  return describeWaits(state, start + seconds * 1000).lines;
}

/** A plain reporter that has seen a stream, with its clock and heartbeat in hand. */
function startPlain(stream: EventStream): {
  reporter: ReturnType<typeof createPlainReporter>;
  send: (event: RunEvent) => void;
  /** Lets every second of a span pass. */
  tick: (from: number, to: number) => void;
  /** The lines since the last call. */
  said: () => string[];
  isBeating: () => boolean;
} {
  const output = fakeOutput();
  let now = start;
  let tick: (() => void) | undefined;
  const reporter = createPlainReporter(output, { now: () => now }, (beat) => {
    tick = beat;
    return () => {
      tick = undefined;
    };
  });
  for (const event of stream.events) reporter.on(event);
  let seen = output.text.length;
  return {
    reporter,
    send(event) {
      stream.add(event);
      const last = stream.events.at(-1);
      if (last) reporter.on(last);
    },
    tick(from, to) {
      for (let second = from; second <= to; second++) {
        now = start + second * 1000;
        tick?.();
      }
    },
    said() {
      const lines = output.text.slice(seen).split('\n').slice(0, -1);
      seen = output.text.length;
      return lines;
    },
    isBeating: () => tick !== undefined,
  };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

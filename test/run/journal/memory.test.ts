import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { applyLine, createRunState, generationOf, hostStateOf } from '../../../engine/run/journal/fold.ts';
import { keepRecord } from '../../../engine/run/journal/keep-record.ts';
import type { RunRecord } from '../../../engine/run/journal/record.ts';

/** Bytes in use when all that nobody has any more is gone. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/** The record of a run that began, in a file that takes what is written. */
function recordToNowhere(): RunRecord {
  const state = createRunState();
  applyLine(state, { t: 'began', time: '', pid: 1 });
  state.isOwn = true;
  return keepRecord({
    state,
    file: { append: () => undefined, sync: () => undefined, synced: async () => undefined, close: () => undefined },
    synced: async () => undefined,
    masker: { mask: (text: string) => text },
    now: () => 0,
    isChanged: false,
    problemOf: () => undefined,
    onProblem: () => undefined,
  });
}

describe('what a run remembers of itself', () => {
  it('takes no memory for tasks that had nothing to do, however many there are', () => {
    const record = recordToNowhere();
    const hosts = Array.from({ length: 100 }, (_, i) => record.of(`h${i}`));
    const endAll = (from: number, to: number): void => {
      for (let task = from; task < to; task++)
        for (const host of hosts)
          host.ended(`task-${task}`, { result: { outcome: 'ok', changes: [] }, registered: { values: [task] } });
    };
    endAll(0, 100);
    const before = heapUsed();
    endAll(100, 2100);
    // A pointer for each would be 1.6 MB.
    expect(heapUsed() - before).to.be.below(800_000);
  });

  it('tells effects of one task apart, each time that it ended with some', () => {
    const record = recordToNowhere();
    const host = record.of('h');
    const end = (key: string): void => host.ended(key, { result: { outcome: 'changed', changes: [] }, registered: {} });
    expect(host.generation('k')).to.equal(0);
    end('k');
    expect(host.generation('k')).to.equal(0);
    for (const times of [1, 2]) {
      host.effectStarting('k', '', []);
      host.stepStarting('k-1', 'boot');
      end('k');
      expect(host.generation('k')).to.equal(times);
    }
    host.dropped('k');
    expect([host.generation('k'), host.generation('other')]).to.deep.equal([3, 0]);
  });

  it('comes to the same for whoever reads it, of ends that are there to be replayed and of replayed ones', () => {
    const state = createRunState();
    const task = (key: string): void => {
      applyLine(state, { t: 'effect', host: 'h', key, item: '', changes: [] });
      applyLine(state, { t: 'task', host: 'h', key, end: { result: { outcome: 'changed', changes: [] } } });
    };
    const began = (): void => applyLine(state, { t: 'began', time: '', pid: 1 });
    const generation = (): number => generationOf(hostStateOf(state, 'h'), 'k');
    began();
    task('k');
    task('other');
    task('k');
    expect(generation()).to.equal(2);
    began();
    expect(generation()).to.equal(0);
    applyLine(state, { t: 'kept', host: 'h', key: 'k' });
    expect(generation()).to.equal(1);
    applyLine(state, { t: 'forgot', host: 'h' });
    // What is dropped does not count any more, and its ids are taken.
    expect(generation()).to.equal(2);
  });
});

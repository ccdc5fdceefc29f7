import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { applyLine, createRunState } from '../../../engine/run/journal/fold.ts';
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
});

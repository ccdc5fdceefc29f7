import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { createEventBus } from '../../engine/base/events.ts';
import { createJournal } from '../../engine/run/journal.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';

/** What the record of a run holds at which moment. */

const task = { id: 'play-1/1', name: 'work', module: 'shell', place: 'play.yaml:3:7' };

describe('the journal', () => {
  const withJournal = (body: (emit: ReturnType<typeof createEventBus>['emit'], written: () => string[]) => unknown) =>
    withTemporaryFolder(async (folder) => {
      const bus = createEventBus(Date.now, (error) => {
        throw error;
      });
      bus.subscribe(createJournal(folder, 'r1'));
      const path = join(folder, 'runs', 'r1', 'events.ndjson');
      const types = (): string[] =>
        readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => (JSON.parse(line) as { type: string }).type);
      await body((event) => bus.emit(event), types);
    });

  it('holds everything so far before an effect is run', () =>
    withJournal((emit, written) => {
      emit({ type: 'host-task-started', task, host: 'h1' });
      emit({ type: 'step-started', task, host: 'h1', step: 'rm' });
      expect(written()).to.deep.equal(['host-task-started', 'step-started']);
    }));

  it('gets what is no effect before the process does anything else, in order', () =>
    withJournal(async (emit, written) => {
      emit({ type: 'host-task-started', task, host: 'h1' });
      emit({ type: 'stopping', reason: 'x' });
      await nextTurn();
      expect(written()).to.deep.equal(['host-task-started', 'stopping']);
      emit({ type: 'run-ended', exitCode: 0, durationMs: 1, summary: [] });
      expect(written()).to.deep.equal(['host-task-started', 'stopping', 'run-ended']);
    }));

  it('writes numbers for which JSON has no word of its own', () =>
    withJournal((emit, written) => {
      const changes = [{ path: 'n', before: 1n, after: 2n ** 64n }];
      emit({ type: 'host-task-ended', task, host: 'h1', outcome: 'changed', durationMs: 1, changes });
      emit({ type: 'run-ended', exitCode: 0, durationMs: 1, summary: [] });
      expect(written()).to.have.length(2);
    }));
});

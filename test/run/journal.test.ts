import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { RunbookError } from '../../engine/base/errors.ts';
import { createEventBus } from '../../engine/base/events.ts';
import { createMasker } from '../../engine/base/masker.ts';
import { openJournal } from '../../engine/run/journal.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';

/** What the record of a run holds at which moment. */

const task = { id: 'play-1/1', name: 'work', module: 'shell', place: 'play.yaml:3:7' };

const open = (folder: string) =>
  openJournal({ folder: join(folder, 'runs', 'r1'), masker: createMasker(), now: Date.now, isCheckMode: false });

describe('the events of the journal', () => {
  const withJournal = (body: (emit: ReturnType<typeof createEventBus>['emit'], written: () => string[]) => unknown) =>
    withTemporaryFolder(async (folder) => {
      const bus = createEventBus(Date.now, (error) => {
        throw error;
      });
      using journal = open(folder);
      bus.subscribe(journal.events);
      const path = join(folder, 'runs', 'r1', 'events.ndjson');
      const types = (): string[] =>
        readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => (JSON.parse(line) as { type: string }).type);
      await body((event) => bus.emit(event), types);
    });

  it('get what is no effect before the process does anything else, in order', () =>
    withJournal(async (emit, written) => {
      emit({ type: 'host-task-started', task, host: 'h1' });
      emit({ type: 'stopping', reason: 'x' });
      await nextTurn();
      expect(written()).to.deep.equal(['host-task-started', 'stopping']);
      emit({ type: 'run-ended', exitCode: 0, durationMs: 1, summary: [] });
      expect(written()).to.deep.equal(['host-task-started', 'stopping', 'run-ended']);
    }));

  it('write numbers for which JSON has no word of its own', () =>
    withJournal((emit, written) => {
      const changes = [{ path: 'n', before: 1n, after: 2n ** 64n }];
      emit({ type: 'host-task-ended', task, host: 'h1', outcome: 'changed', durationMs: 1, changes });
      emit({ type: 'run-ended', exitCode: 0, durationMs: 1, summary: [] });
      expect(written()).to.have.length(2);
    }));
});

describe('the folder of a run', () => {
  it('is for its owner alone', () =>
    withTemporaryFolder(async (folder) => {
      using _ = open(folder);
      const modeOf = (path: string): number => statSync(join(folder, path)).mode & 0o777;
      expect(modeOf('runs/r1')).to.equal(0o700);
      expect(modeOf('runs/r1/events.ndjson')).to.equal(0o600);
      expect(modeOf('runs/r1/state.ndjson')).to.equal(0o600);
    }));

  it('belongs to one process at a time', () =>
    withTemporaryFolder(async (folder) => {
      {
        using _ = open(folder);
        expect(() => open(folder)).to.throw(RunbookError, `process ${process.pid} on`);
      }
      open(folder)[Symbol.dispose]();
    }));

  it('is taken over from a process that is dead, or whose number another one has now', () =>
    withTemporaryFolder(async (folder) => {
      open(folder)[Symbol.dispose]();
      const lock = join(folder, 'runs', 'r1', 'lock');
      for (const holder of [
        { pid: 4_194_304, machine: hostname(), ticks: '1' },
        { pid: process.pid, machine: hostname(), ticks: '1' },
      ]) {
        writeFileSync(lock, JSON.stringify(holder));
        open(folder)[Symbol.dispose]();
      }
    }));

  it('is left alone where its process is on another machine, of which nothing is known here', () =>
    withTemporaryFolder(async (folder) => {
      mkdirSync(join(folder, 'runs', 'r1'), { recursive: true });
      writeFileSync(join(folder, 'runs', 'r1', 'lock'), JSON.stringify({ pid: 1, machine: 'elsewhere' }));
      expect(() => open(folder)).to.throw(RunbookError, 'process 1 on elsewhere');
    }));
});

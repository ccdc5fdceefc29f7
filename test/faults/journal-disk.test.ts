import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { StampedEvent } from '../../engine/base/events.ts';
import type { RunRequest } from '../../engine/run/request.ts';
import { withTemporaryFolder } from '../support/module-rig.ts';
import { play } from '../support/play.ts';
import { counting } from './counting.ts';
import { mountSmallDisk, type SmallDisk, whyNoSmallDisk } from './small-disk.ts';

const names = ['one', 'two', 'three'];

/** Events that are longer than the rest of the last block that is left on a full disk. */
const playbook = `- hosts: n1
  gather_facts: false
  tasks:
${names.map((name) => `    - { name: ${name}, shell: { cmd: "echo ${name} >> DIR/effects # ${'x'.repeat(8192)}" } }\n`).join('')}`;

/** The disk that the record of a run is written to gives out: no effect is run that nobody would know of. */
describe('the disk of a journal', () => {
  const counted = counting('journals that could not be written');
  before(function () {
    if (whyNoSmallDisk() !== undefined) this.skip();
  });

  const faults: readonly (readonly [name: string, fail: (disk: SmallDisk) => void])[] = [
    ['is full', (disk) => fill(disk)],
  ];
  for (const [name, fail] of faults) {
    it(`${name} from the start: nothing is contacted`, () =>
      withDisk(async (folder, disk, run) => {
        fail(disk);
        const error = await run(() => {}).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(String(error)).to.match(/record of the run|disk is full|No space|ENOSPC/);
        expect(effects(folder)).to.deep.equal([]);
        counted.held('from the start');
      }));

    for (const task of names) {
      it(`${name} when task ${task} begins: the effects after it are not run, and the run says so`, () =>
        withDisk(async (folder, disk, run) => {
          const end = await run((event) => {
            if (event.type === 'host-task-started' && event.task.name === task) fail(disk);
          });
          expect(end.exitCode).to.equal(2);
          const stop = end.events.find((event) => event.type === 'run-ended')?.stopReason;
          expect(stop).to.match(/the record of the run cannot be written: .*disk is full/);
          const done = effects(folder);
          expect(names.slice(0, done.length)).to.deep.equal(done);
          expect(done.length).to.be.at.most(names.indexOf(task) + 1);
          counted.held(`at task ${task}`);
        }));

      it(`${name} when task ${task} has had its effect: whoever resumes the run takes its end`, () =>
        withDisk(async (folder, disk, run) => {
          const end = await run((event) => {
            if (event.type === 'step-ended' && event.task.name === task) fail(disk);
          });
          expect(end.exitCode).to.equal(2);
          empty(disk);
          const runId = end.events.flatMap((event) => (event.type === 'run-started' ? [event.runId] : []))[0] ?? '';
          const again = await run(() => {}, { resume: { runId, isChanged: false } });
          expect(again.exitCode).to.equal(0);
          expect(effects(folder)).to.deep.equal(names);
          counted.held(`after task ${task}`);
        }));
    }
  }
});

type Run = (onEvent: (event: StampedEvent) => void, options?: Pick<RunRequest, 'resume'>) => ReturnType<typeof play>;

function withDisk(body: (folder: string, disk: SmallDisk, run: Run) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async (folder) => {
    using disk = mountSmallDisk(join(folder, 'journal'), 256 * 1024);
    const files = { 'hosts.ini': 'n1 ansible_connection=local\n', 'play.yaml': playbook.replaceAll('DIR', folder) };
    await body(folder, disk, (onEvent, options = {}) =>
      play(folder, files, { journalDirectory: disk.path, onEvent, ...options }),
    );
  });
}

function effects(folder: string): string[] {
  try {
    return readFileSync(join(folder, 'effects'), 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}

/** Leaves not a byte. */
function fill({ path }: SmallDisk): void {
  for (const size of [64 * 1024, 4096, 1]) {
    for (let i = 0; ; i++) {
      try {
        writeFileSync(join(path, `filler-${size}-${i}`), Buffer.alloc(size, 1));
      } catch {
        break;
      }
    }
  }
}

/** Makes the room again. */
function empty({ path }: SmallDisk): void {
  for (const name of readdirSync(path)) if (name.startsWith('filler-')) rmSync(join(path, name));
}

import { expect } from 'chai';
import type { StampedEvent } from '../../engine/base/events.ts';
import { whyNoSshd } from '../support/sshd.ts';
import { counting } from './counting.ts';
import { type SshBench, withSshBench } from './ssh-play.ts';

/** Three effects that each leave a line; the second one takes long enough to be cut off. */
const tasks = `
- name: one
  shell: { cmd: echo one >> DIR/effects }
- name: two
  shell: { cmd: sleep 0.5; echo two >> DIR/effects }
- name: three
  shell: { cmd: echo three >> DIR/effects }
`;

const all = ['one', 'two', 'three'];

/** sshd dies with all its sessions, at every event of a run; it comes back, or it does not. */
describe('an sshd that is killed', () => {
  const counted = counting('kills of sshd');
  before(function () {
    if (whyNoSshd() !== undefined) this.skip();
  });

  for (const type of ['host-task-started', 'step-started', 'step-ended', 'host-task-ended'] as const) {
    for (const name of all) {
      // Nothing is connected yet: a host that cannot be reached at all is another story.
      if (type === 'host-task-started' && name === 'one') continue;
      it(`at ${type} of task ${name} and comes back: every effect is there, once`, () =>
        withSshBench(async (bench) => {
          const run = await bench.play(tasks, { onEvent: at(type, name, () => restart(bench)) });
          expect(run.ends).to.deep.equal(all.map((task) => `n1: ${task}: changed`));
          expect(bench.lines('effects')).to.deep.equal(all);
          counted.held('where it came back');
        }));
    }
  }

  for (const name of all) {
    it(`at the beginning of the step of task ${name} and stays away: unreachable, no effect twice`, () =>
      withSshBench(async (bench) => {
        const connection = { reconnectMs: 300 };
        const run = await bench.play(tasks, {
          connection,
          onEvent: at('step-started', name, () => bench.sshd.kill()),
        });
        expect(run.exitCode).to.equal(4);
        expect(run.said(name)).to.match(/lost the connection|did not come back|cannot reach/);
        const done = bench.lines('effects');
        expect(all.slice(0, done.length), 'those before, and perhaps the one that was begun').to.deep.equal(done);
        expect(done.length).to.be.within(all.indexOf(name), all.indexOf(name) + 1);
        counted.held('where it stayed away');
      }));
  }
});

async function restart({ sshd }: SshBench): Promise<void> {
  sshd.kill();
  await sshd.revive();
}

/** Does something at the first event of a type about a task. */
function at(type: StampedEvent['type'], task: string, act: () => void | Promise<void>): (event: StampedEvent) => void {
  let isDone = false;
  return (event) => {
    if (isDone || event.type !== type || !('task' in event) || event.task.name !== task) return;
    isDone = true;
    void act();
  };
}

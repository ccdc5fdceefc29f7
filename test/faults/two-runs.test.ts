import { expect } from 'chai';
import type { PlayRun } from '../support/play.ts';
import { whyNoSshd } from '../support/sshd.ts';
import { counting } from './counting.ts';
import { type SshBench, withSshBench } from './ssh-play.ts';

/** Appends a line for the beginning of an effect and one for its end. */
const tasks = (run: string, between = ':'): string => `
- name: first
  shell: { cmd: "echo ${run} begins >> DIR/effects; ${between}; echo ${run} ends >> DIR/effects" }
- name: second
  shell: { cmd: "echo ${run} begins >> DIR/effects; echo ${run} ends >> DIR/effects" }
`;

/** Two controllers work on one host. */
describe('two runs at once', () => {
  const counted = counting('pairs of runs on one host');
  before(function () {
    if (whyNoSshd() !== undefined) this.skip();
  });

  it('the second as the first one has its effect: it fails, names the first one, and changes nothing', () =>
    withSshBench(async (bench) => {
      let other: Promise<PlayRun> | undefined;
      const one = await bench.play(tasks('one', 'while [ ! -e DIR/over ]; do sleep 0.05; done'), {
        onEvent: (event) => {
          if (event.type === 'step-started') other ??= startOther(bench).finally(() => bench.touch('over'));
        },
      });
      const loser = await other;
      expect([one.exitCode, loser?.exitCode]).to.deep.equal([0, 2]);
      expect(loser?.said('first')).to.include(`is held by run ${idOf(one)} of `);
      expect(bench.lines('effects')).to.deep.equal([...turn('one'), ...turn('one')]);
      counted.held('of which one has the host');
    }));

  it('both at the same moment: what is run is run by one after the other, or by one only', () =>
    withSshBench(async (bench) => {
      const [one, other] = await Promise.all([bench.play(tasks('one')), startOther(bench)]);
      const winners = [one, other].filter(({ exitCode }) => exitCode === 0);
      expect(winners).to.not.have.length(0);
      const lines = bench.lines('effects');
      const done = winners.flatMap((run) => [run === one ? 'one' : 'other']);
      const inTurn = (names: readonly string[]): string[] => names.flatMap((name) => [...turn(name), ...turn(name)]);
      expect([inTurn(done), inTurn([...done].reverse())]).to.deep.include(lines);
      for (const loser of [one, other]) {
        if (winners.includes(loser)) continue;
        expect(loser.exitCode).to.equal(2);
        expect(loser.said('first')).to.include(`is held by run ${winners.map(idOf).join()} of `);
      }
      counted.held('at the same moment');
    }));

  it('one after the other: the host is free again', () =>
    withSshBench(async (bench) => {
      for (const name of ['one', 'other']) expect((await bench.play(tasks(name))).exitCode).to.equal(0);
      expect(bench.lines('effects')).to.have.length(8);
      counted.held('one after the other');
    }));

  it('one that only looks is not kept out', () =>
    withSshBench(async (bench) => {
      let looking: Promise<PlayRun> | undefined;
      const run = await bench.play(tasks('one'), {
        onEvent: (event) => {
          if (event.type === 'step-started') looking ??= bench.play(tasks('one'), { isCheckMode: true });
        },
      });
      expect([run.exitCode, (await looking)?.exitCode]).to.deep.equal([0, 3]);
      counted.held('where one only looked');
    }));
});

function turn(name: string): string[] {
  return [`${name} begins`, `${name} ends`];
}

function idOf(run: PlayRun): string {
  return run.events.flatMap((event) => (event.type === 'run-started' ? [event.runId] : [])).join();
}

/** In files of its own: the first one's playbook is not to be another one all of a sudden. */
function startOther(bench: SshBench): Promise<PlayRun> {
  return bench.play(tasks('other'), {}, 'other');
}

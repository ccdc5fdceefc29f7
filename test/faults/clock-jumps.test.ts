import { expect } from 'chai';
import { systemClock } from '../../engine/base/clock.ts';
import { playFiles } from '../support/play.ts';
import { counting } from './counting.ts';

const hour = 3_600_000;
const hosts = 'n1 ansible_connection=local\n';

/** The controller's clock is set in the midst of a wait: no deadline passes at once, none never. */
describe('a clock that jumps', () => {
  const counted = counting('jumps of the clock');
  const { now } = Date;
  let offset = 0;
  before(() => {
    Date.now = () => now() + offset;
  });
  beforeEach(() => {
    offset = 0;
  });
  after(() => {
    Date.now = now;
  });

  for (const [name, ms] of [
    ['forward', hour],
    ['back', -hour],
  ] as const) {
    it(`${name} by an hour does not move the engine's clock`, () => {
      const before = systemClock.now();
      offset = ms;
      expect(systemClock.now() - before).to.be.within(0, 60_000);
      counted.held(name);
    });

    it(`${name} by an hour: a wait still ends when it is so`, () =>
      playFiles(
        {
          'hosts.ini': hosts,
          'play.yaml': `- hosts: n1
  gather_facts: false
  tasks:
    - name: begin
      shell: { cmd: "(sleep 0.5; touch DIR/there) >/dev/null 2>&1 &" }
    - name: wait
      wait-for: { path: DIR/there, timeout: 60, interval: 0.1 }
`,
        },
        (run) => {
          expect(run.ends).to.deep.equal(['n1: begin: changed', 'n1: wait: ok']);
          counted.held(name);
        },
        { onEvent: jumpAt('wait', ms) },
      ));

    it(`${name} by an hour: a wait that never comes true ends at its deadline`, () =>
      playFiles(
        {
          'hosts.ini': hosts,
          'play.yaml': `- hosts: n1
  gather_facts: false
  tasks:
    - name: wait
      wait-for: { path: DIR/never, timeout: 0.3, interval: 0.1 }
`,
        },
        (run) => {
          expect(run.said('wait')).to.match(/^waited \d+ ms for .*never to appear/);
          counted.held(name);
        },
        { onEvent: jumpAt('wait', ms) },
      ));

    it(`${name} by an hour: what is told of a run stays in order`, () =>
      playFiles(
        {
          'hosts.ini': hosts,
          'play.yaml': '- hosts: n1\n  gather_facts: false\n  tasks: [{ name: wait, shell: { cmd: "true" } }]\n',
        },
        (run) => {
          const end = run.events.find((event) => event.type === 'run-ended');
          expect(end?.durationMs).to.be.within(0, 60_000);
          counted.held(name);
        },
        { onEvent: jumpAt('wait', ms) },
      ));
  }

  function jumpAt(task: string, ms: number): (event: { type: string; task?: { name: string } }) => void {
    return (event) => {
      if (event.type === 'host-task-started' && event.task?.name === task) offset = ms;
    };
  }
});

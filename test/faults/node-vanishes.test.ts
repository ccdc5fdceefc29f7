import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { StampedEvent } from '../../engine/base/events.ts';
import { whyNoSshd } from '../support/sshd.ts';
import { counting } from './counting.ts';
import { withSshBench } from './ssh-play.ts';

const modules = {
  'modules/hold.ts': `
import { defineLease, exec, probe, sh } from 'runbook';
export default defineLease({
  name: 'hold', summary: 'Holds a file',
  schema: { type: 'object', additionalProperties: false, required: ['path'], properties: { path: { type: 'string' } } },
  probe: ({ path }) => probe(sh\`test -e \${path}\`, ({ rc }) => rc === 0),
  diff: (isThere, { path }) => (isThere ? [] : [{ path, before: null, after: 'held' }]),
  grant: ({ args }) => ({ path: args.path }),
  *acquire({ args }) { yield exec(sh\`echo held > \${args.path}\`, { purpose: 'taking' }); },
  *release({ grant }) { yield exec(sh\`rm -f \${grant.path}\`, { purpose: 'releasing' }); },
});`,
};

const tasks = (where: string, onFailure: string): string => `
- lease: { name: held, hold: { path: DIR/lease }, ${where}on_failure: ${onFailure} }
  block:
    - name: work
      shell: { cmd: echo work >> DIR/effects }
    - name: more work
      shell: { cmd: echo more >> DIR/effects }
- name: after
  debug: { message: x }
`;

/** A node goes away for good at every event between the taking of a lease and its release. */
describe('a node that vanishes under a lease', () => {
  const counted = counting('nodes that vanished');
  before(function () {
    if (whyNoSshd() !== undefined) this.skip();
  });

  const moments: readonly (readonly [name: string, isIt: (event: StampedEvent) => boolean])[] = [
    ['the lease is taken', ({ type }) => type === 'lease-taken'],
    ['the first effect begins', (event) => event.type === 'step-started' && event.task.name === 'work'],
    ['the first effect has ended', (event) => event.type === 'step-ended' && event.task.name === 'work'],
    ['the second task begins', (event) => event.type === 'host-task-started' && event.task.name === 'more work'],
    ['the second effect begins', (event) => event.type === 'step-started' && event.task.name === 'more work'],
  ];

  for (const [name, isIt] of moments) {
    for (const onFailure of ['release', 'keep']) {
      it(`when ${name}, on_failure: ${onFailure}: the lease of the controller is ${onFailure === 'keep' ? 'kept and told' : 'given back'}`, () =>
        withSshBench(
          async (bench) => {
            let isGone = false;
            const run = await bench.play(tasks('delegate_to: localhost, ', onFailure), {
              connection: { reconnectMs: 200 },
              onEvent: (event) => {
                if (isGone || !isIt(event)) return;
                isGone = true;
                bench.sshd.kill();
              },
            });
            expect(isGone).to.equal(true);
            expect(run.summary.find(({ host }) => host === 'n1')?.state).to.equal('unreachable');
            expect(run.exitCode).to.equal(4);
            const isHeld = existsSync(join(bench.folder, 'lease'));
            const kept = run.summary.flatMap(({ leases }) => leases.map(({ task }) => task));
            expect(kept).to.deep.equal(isHeld ? ['held'] : []);
            if (onFailure === 'release') expect(isHeld).to.equal(false);
            else expect(isHeld).to.equal(true);
            counted.held(`with on_failure: ${onFailure}`);
          },
          { modules },
        ));
    }
  }

  it('keeps a lease that only the node itself can give back, and says why', () =>
    withSshBench(
      async (bench) => {
        const run = await bench.play(tasks('', 'release'), {
          connection: { reconnectMs: 200 },
          onEvent: (event) => {
            if (event.type === 'step-started' && event.task.name === 'more work') bench.sshd.kill();
          },
        });
        expect(existsSync(join(bench.folder, 'lease'))).to.equal(true);
        const [lease] = run.summary.flatMap(({ leases }) => leases);
        expect(lease?.task).to.equal('held');
        expect(lease?.reason).to.match(/n1 is unreachable|could not be released/);
        counted.held('with a lease of its own');
      },
      { modules },
    ));
});

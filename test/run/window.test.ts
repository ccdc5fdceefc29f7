import { expect } from 'chai';
import fc from 'fast-check';
import { cutBatches } from '../../engine/run/batches.ts';
import { createGroupLimit } from '../../engine/run/group-limit.ts';
import { runWindow } from '../../engine/run/window.ts';

/** Scheduling decisions, without hosts: a host is a number, and its group the number's remainder. */

const hostsArbitrary = fc.integer({ min: 0, max: 30 }).map((count) => Array.from({ length: count }, (_, i) => i));
const limits = fc.record({ groups: fc.integer({ min: 1, max: 5 }), count: fc.integer({ min: 1, max: 3 }) });
const limitOf = ({ groups, count }: { groups: number; count: number }) =>
  createGroupLimit<number>('rack', count, (host) => String(host % groups));
const isWithin = (hosts: readonly number[], { groups, count }: { groups: number; count: number }): boolean =>
  hosts.every((host) => hosts.filter((other) => other % groups === host % groups).length <= count);

describe('a window', () => {
  it('works on every host once, never on more than fit, and is never idle beside a host that could start', () =>
    fc.assert(
      fc.asyncProperty(
        hostsArbitrary,
        fc.integer({ min: 1, max: 6 }),
        limits,
        fc.scheduler(),
        async (hosts, size, limited, scheduler) => {
          const limit = limitOf(limited);
          const inFlight = new Set<number>();
          const done: number[] = [];
          const run = async (host: number): Promise<void> => {
            inFlight.add(host);
            expect(inFlight.size).to.be.at.most(size);
            expect(isWithin([...inFlight], limited)).to.equal(true);
            await scheduler.schedule(Promise.resolve());
            inFlight.delete(host);
            done.push(host);
          };
          const rules = { size, mayStart: () => true, roomBeside: limit.roomBeside, onPassedOver: () => undefined };
          const left = await scheduler.waitFor(runWindow(hosts, rules, run));
          expect(left).to.deep.equal([]);
          expect(done.sort((a, b) => a - b)).to.deep.equal(hosts);
        },
      ),
    ));

  it('starts no more once it may not, waits for those in flight, and gives the rest', async () => {
    const ended: number[] = [];
    const rules = {
      size: 2,
      mayStart: () => ended.length < 2,
      roomBeside: () => ({ has: () => true }),
      onPassedOver: () => undefined,
    };
    const left = await runWindow([1, 2, 3, 4, 5], rules, async (host) => {
      await Promise.resolve();
      ended.push(host);
    });
    expect([...ended, ...left]).to.deep.equal([1, 2, 3, 4, 5]);
    expect(left.length).to.be.greaterThan(0);
  });
});

describe('batches with a limit by group', () => {
  it('have every host once, none too many of a group, and hosts of one group in their order', () =>
    fc.assert(
      fc.property(hostsArbitrary, fc.integer({ min: 1, max: 6 }), limits, (hosts, size, limited) => {
        const batches = cutBatches(hosts, [{ hosts: size }], limitOf(limited));
        expect(batches.flat().sort((a, b) => a - b)).to.deep.equal(hosts);
        for (const batch of batches) {
          expect(batch.length).to.be.within(1, size);
          expect(isWithin(batch, limited)).to.equal(true);
        }
        for (let group = 0; group < limited.groups; group++) {
          const members = batches.flat().filter((host) => host % limited.groups === group);
          expect(members).to.deep.equal([...members].sort((a, b) => a - b));
        }
      }),
    ));
});

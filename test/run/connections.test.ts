import { expect } from 'chai';
import { systemClock } from '../../engine/base/clock.ts';
import { RunbookError } from '../../engine/base/errors.ts';
import { createEventBus } from '../../engine/base/events.ts';
import { sh } from '../../engine/base/sh.ts';
import { createConnections } from '../../engine/run/connections.ts';
import type { Target, Transport } from '../../engine/transport/transport.ts';

describe('connections', () => {
  it('are opened once per host, and anew after the link was lost', async () => {
    let connects = 0;
    let closed = 0;
    const transport: Transport = {
      connect: async () => {
        const isFirst = ++connects === 1;
        return {
          description: `${connects}`,
          run: async () => {
            if (isFirst) throw new RunbookError('unreachable', 'the link was lost');
            return { rc: 0, stdout: '', stderr: '', durationMs: 0 };
          },
          effect: async () => Promise.reject(new Error('not asked for')),
          settle: async () => new Map(),
          forget: async () => undefined,
          put: async () => ({}),
          [Symbol.asyncDispose]: async () => {
            closed++;
          },
        };
      },
    };
    await using connections = createConnections(
      transport,
      createEventBus(Date.now, () => {}),
      systemClock,
      { runId: 'r1', reconnectMs: 0 },
    );
    const { signal } = new AbortController();
    // The transport of this test does not look at it.
    const open = () => connections.open('delegate', () => ({}) as Target, signal);
    const [one, same] = await Promise.all([open(), open()]);
    expect(same).to.equal(one);
    const lost = await one.run(sh`true`, { timeoutMs: 1 }).catch((error: unknown) => error);
    expect(lost).to.include({ code: 'unreachable' });
    expect(closed).to.equal(1);
    const next = await open();
    expect(next.description).to.equal('2');
    expect((await next.run(sh`true`, { timeoutMs: 1 })).rc).to.equal(0);
  });

  for (const isDurable of [true, false]) {
    it(`${isDurable ? 'have' : 'do not have'} hosts forget effects whose ends are ${isDurable ? '' : 'not '}on disk`, async () => {
      const forgotten: string[] = [];
      const transport: Transport = {
        connect: async ({ address }) => ({
          description: address,
          run: async () => ({ rc: 0, stdout: '', stderr: '', durationMs: 0 }),
          effect: async () => ({ rc: 0, stdout: '', stderr: '', durationMs: 0, lock: 'none' }),
          settle: async () => new Map(),
          forget: async (ids) => void forgotten.push(`${address}: ${ids.join(' ')}`),
          put: async () => ({}),
          [Symbol.asyncDispose]: async () => undefined,
        }),
      };
      const bus = createEventBus(Date.now, () => {});
      let told = 0;
      const durable = async (): Promise<void> => {
        told++;
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (!isDurable) throw new Error('the disk is full');
      };
      const connections = createConnections(transport, bus, systemClock, { runId: 'r1', reconnectMs: 0, durable });
      const { signal } = new AbortController();
      const task = { id: 't', name: 'work', module: 'shell', place: 'play.yaml:1:1' };
      for (const [host, on, effect] of [
        ['h1', 'h1', 'e1'],
        ['h1', 'h2', 'e2'],
        ['h2', 'h2', 'e3'],
      ] as const) {
        const connection = await connections.open(on, () => ({ address: on }) as Target, signal);
        await connection.effect(sh`true`, { id: effect, timeoutMs: 1000 });
        const where = { task, host, ...(on !== host && { delegatedTo: on }) };
        bus.emit({ type: 'step-ended', ...where, effect, step: 'true', rc: 0, durationMs: 1 });
      }
      // The task of h2 does not end: its link was lost for good.
      for (const [host, outcome] of [
        ['h1', 'changed'],
        ['h2', 'unreachable'],
      ] as const)
        bus.emit({ type: 'host-task-ended', task, host, outcome, changes: [], durationMs: 1 });
      await connections[Symbol.asyncDispose]();
      expect(told).to.equal(2);
      expect(forgotten.toSorted()).to.deep.equal(isDurable ? ['h1: e1', 'h2: e2'] : []);
    });
  }
});

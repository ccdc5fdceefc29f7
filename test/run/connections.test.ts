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
});

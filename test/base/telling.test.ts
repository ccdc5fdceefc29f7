import { expect } from 'chai';
import type { WaitView } from '../../engine/base/events.ts';
import { createTelling } from '../../engine/base/telling.ts';

describe('telling what is waited for', () => {
  it('says nothing of what is over soon', async () => {
    const { telling, told } = rig();
    expect(await telling({ text: 'connecting' }, async () => 42)).to.equal(42);
    expect(told).to.deep.equal([]);
  });

  it('says since when and until when, what it is by now, and that it is over', async () => {
    const { telling, told, pass } = rig();
    await telling({ text: 'connecting', deadlineMs: 20_000 }, async (change) => {
      change({ text: 'connecting (key exchange)', deadlineMs: 20_000 });
      pass(2000);
      change({ text: 'connecting (authentication)', deadlineMs: 20_000 });
    });
    expect(told).to.deep.equal([
      { text: 'connecting (key exchange)', sinceMs: 0, deadlineMs: 20_000 },
      { text: 'connecting (authentication)', sinceMs: 0, deadlineMs: 20_000 },
      { text: '', sinceMs: 0 },
    ]);
  });

  it('says that it is over when it failed, too', async () => {
    const { telling, told, pass } = rig();
    const failing = telling({ text: 'connecting' }, async () => {
      pass(2000);
      throw new Error('refused');
    });
    expect(await failing.catch((error: Error) => error.message)).to.equal('refused');
    expect(told.map(({ text }) => text)).to.deep.equal(['connecting', '']);
  });
});

function rig() {
  let now = 0;
  const told: WaitView[] = [];
  const jobs = new Set<{ atMs: number; run: () => void }>();
  const telling = createTelling(
    { now: () => now },
    (wait) => told.push(wait),
    (ms, run) => {
      const job = { atMs: now + ms, run };
      jobs.add(job);
      return () => jobs.delete(job);
    },
  );
  const pass = (ms: number): void => {
    now += ms;
    for (const job of jobs) if (job.atMs <= now) job.run();
  };
  return { telling, told, pass };
}

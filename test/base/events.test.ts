import { expect } from 'chai';
import { createEventBus, type StampedEvent } from '../../engine/base/events.ts';

describe('the event bus', () => {
  it('stamps events with version, number and time, and gives them to every subscriber in order', () => {
    const bus = createEventBus(
      () => 0,
      () => undefined,
    );
    const seen: StampedEvent[] = [];
    bus.subscribe((event) => seen.push(event));
    bus.emit({ type: 'play-ended', id: 'play-1' });
    bus.emit({ type: 'batch-ended', number: 1 });
    expect(seen).to.deep.equal([
      { v: 1, seq: 0, time: '1970-01-01T00:00:00.000Z', type: 'play-ended', id: 'play-1' },
      { v: 1, seq: 1, time: '1970-01-01T00:00:00.000Z', type: 'batch-ended', number: 1 },
    ]);
  });

  it('drops a subscriber that throws, tells why, and goes on with the others', () => {
    const errors: unknown[] = [];
    const bus = createEventBus(
      () => 0,
      (error) => errors.push(error),
    );
    const seen: string[] = [];
    bus.subscribe(() => {
      throw new Error('disk full');
    });
    bus.subscribe((event) => seen.push(event.type));
    bus.emit({ type: 'play-ended', id: 'a' });
    bus.emit({ type: 'play-ended', id: 'b' });
    expect(seen).to.have.length(2);
    expect(errors).to.have.length(1);
  });
});

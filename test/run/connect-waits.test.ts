import { expect } from 'chai';
import { createConnectWaits } from '../../engine/run/connect-waits.ts';

describe('waiting for a connection', () => {
  it('is told to everyone who waits for it, from where it is', async () => {
    const waits = createConnectWaits();
    let connected = (): void => {};
    const connecting = new Promise<void>((resolve) => {
      connected = resolve;
    });
    const told: string[] = [];
    const first = waits.during('n', connecting, ({ text }) => told.push(`first: ${text}`));
    waits.tell('n', { text: 'handshake' });
    const second = waits.during('n', connecting, ({ text }) => told.push(`second: ${text}`));
    waits.tell('n', { text: 'authentication' });
    waits.tell('other', { text: 'handshake' });
    connected();
    await Promise.all([first, second]);
    waits.tell('n', { text: 'again' });
    expect(told).to.deep.equal([
      'first: handshake',
      'second: handshake',
      'first: authentication',
      'second: authentication',
    ]);
  });
});

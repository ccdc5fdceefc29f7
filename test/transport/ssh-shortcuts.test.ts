import { Writable } from 'node:stream';
import { expect } from 'chai';
import type { Client, ClientChannel } from 'ssh2';
import { joinPackets } from '../../engine/transport/ssh-shortcuts.ts';

describe("what a channel's chunk is cut into", () => {
  it('reaches the socket at once, and what is written later by itself', async () => {
    const arrived: string[][] = [];
    const socket = new Writable({
      writev(chunks, done) {
        arrived.push(chunks.map(({ chunk }) => String(chunk)));
        done();
      },
    });
    const written: string[] = [];
    const channel = {
      _write(chunk: string, _encoding: BufferEncoding, done: () => void) {
        for (const packet of chunk.split(' ')) socket.write(packet);
        done();
      },
    };
    // Of both only this much is used.
    joinPackets({ _sock: socket } as unknown as Client, channel as unknown as ClientChannel);
    channel._write('one two three', 'utf8', () => written.push('first'));
    channel._write('four', 'utf8', () => written.push('second'));
    await new Promise((resolve) => socket.end(resolve));
    expect(arrived).to.deep.equal([['one', 'two', 'three'], ['four']]);
    expect(written).to.deep.equal(['first', 'second']);
  });
});

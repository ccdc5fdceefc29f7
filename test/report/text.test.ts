import { expect } from 'chai';
import fc from 'fast-check';
import { count, cutMiddle, nameSome, oneLine, truncate, visible, visibleEvent } from '../../engine/report/text.ts';
import { eventStream, nodes } from './event-stream.ts';

describe('text', () => {
  it('makes every sequence that could steer a terminal visible', () => {
    expect(visible('a\u001b[2Jb')).to.equal('a\\x1b[2Jb');
    expect(visible('\u001b]0;title\u0007')).to.equal('\\x1b]0;title\\x07');
    expect(visible('50 %\r100 %')).to.equal('50 %\\r100 %');
    expect(visible('\u009b31m')).to.equal('\\x9b31m');
    expect(visible('user\u202etxt.exe')).to.equal('user\\u202etxt.exe');
  });

  it('leaves line breaks, tabs and all other text alone', () => {
    expect(visible('ein\tWort\nänderte 変更 🙂')).to.equal('ein\tWort\nänderte 変更 🙂');
    expect(visible('dos\r\nlines')).to.equal('dos\nlines');
  });

  it('lets no control character of any text through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text)).not.to.match(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      }),
    );
  });

  it('makes every text of an event visible, however deep it is', () => {
    const [started] = eventStream(['n\u001b1']).events;
    if (started?.type !== 'run-started') throw new Error('no run-started');
    expect(visibleEvent(started).hosts).to.deep.equal(['n\\x1b1']);
  });

  it('puts text on one line and cuts it', () => {
    expect(oneLine(' a\n b\t c ')).to.equal('a b c');
    expect(truncate('containerd', 6)).to.equal('conta…');
    expect(truncate('runc', 6)).to.equal('runc');
  });

  it('keeps the end of a long text, where tools say what failed', () => {
    const text = Array.from({ length: 100 }, (_, i) => `line ${i}`).join('\n');
    const lines = cutMiddle(text, 10).split('\n');
    expect(lines).to.have.length(10);
    expect(lines[3]).to.equal('… 91 lines left out …');
    expect(lines.at(-1)).to.equal('line 99');
  });

  it('counts and names', () => {
    expect(count(1, 'host')).to.equal('1 host');
    expect(count(0, 'host')).to.equal('0 hosts');
    expect(nameSome(nodes(6))).to.equal('node-1, node-2, node-3, node-4, node-5, node-6');
    expect(nameSome(nodes(100))).to.equal('node-1, node-2, node-3, node-4, node-5 and 95 more');
  });
});

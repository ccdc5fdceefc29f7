import { expect } from 'chai';
import { formatChange, namePaths, showValue } from '../../engine/report/diff.ts';
import { createPaint } from '../../engine/report/paint.ts';
import { change } from './event-stream.ts';

const plain = createPaint(false);

describe('diff', () => {
  it('shows texts of several lines as a unified diff', () => {
    expect(formatChange(change('content', 'a\nb\nc\n', 'a\nB\nc\n'), plain)).to.equal(
      ['content:', '--- before', '+++ after', '@@ -1,3 +1,3 @@', ' a', '-b', '+B', ' c'].join('\n'),
    );
  });

  it('shows a new file as added lines', () => {
    expect(formatChange(change('content', null, 'a\nb\n'), plain)).to.equal(
      ['content:', '--- (absent)', '+++ after', '@@ -0,0 +1,2 @@', '+a', '+b'].join('\n'),
    );
  });

  it('shows everything else as before → after', () => {
    expect(formatChange(change('mode', '0644', '0600'), plain)).to.equal('mode: 0644 → 0600');
    expect(formatChange(change('enabled', false, true), plain)).to.equal('enabled: false → true');
    expect(formatChange(change('units', null, ['a']), plain)).to.equal('units: (absent) → ["a"]');
  });

  it('quotes a text that could be taken for something else', () => {
    const values: [unknown, string][] = [
      ['1', '"1"'],
      [1, '1'],
      ['true', '"true"'],
      ['', '""'],
      [' a', '" a"'],
      ['null', '"null"'],
      [null, '(absent)'],
      [10n, '10'],
      [{ n: 1n }, '{"n":1}'],
    ];
    for (const [value, shown] of values) expect(showValue(value)).to.equal(shown);
  });

  it('colours removed and added lines, also those that look like a header', () => {
    const painted = formatChange(change('content', '-- x\ny\n', '++ x\ny\n'), createPaint(true));
    expect(painted).to.include('\u001b[31m--- x\u001b[39m').and.to.include('\u001b[32m+++ x\u001b[39m');
  });

  it('cuts a long diff and says how to see all of it', () => {
    const after = Array.from({ length: 300 }, (_, i) => `line ${i}\n`).join('');
    const lines = formatChange(change('content', null, after), plain).split('\n');
    expect(lines).to.have.length(62);
    expect(lines.at(-1)).to.equal('… 243 more lines; --output ndjson shows all of it');
  });

  it('does not stall a run over two large texts that have nothing in common', () => {
    const text = (word: string): string => Array.from({ length: 20_000 }, (_, i) => `${word} ${i}\n`).join('');
    const started = performance.now();
    expect(formatChange(change('content', text('a'), text('b')), plain)).to.equal(
      'content: 20001 lines → 20001 lines, too different to compare line by line',
    );
    expect(performance.now() - started).to.be.lessThan(3000);
  });

  it('names what changed when no diff is asked for', () => {
    const changes = ['a', 'b', 'a', 'c', 'd'].map((path) => change(path, 1, 2));
    expect(namePaths(changes)).to.equal('a, b, c and 1 more');
    expect(namePaths(changes.slice(0, 2))).to.equal('a, b');
  });
});

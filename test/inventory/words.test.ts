import { expect } from 'chai';
import fc from 'fast-check';
import { offsetInWord, splitWords } from '../../engine/inventory/words.ts';

const words = (line: string): readonly string[] => splitWords(line).words.map((word) => word.text);

describe('the words of a host line', () => {
  const table: [string, string[]][] = [
    ['web  a=1\tb=2', ['web', 'a=1', 'b=2']],
    ['a=\'x y\' b="x y"', ['a=x y', 'b=x y']],
    ['a=x" "y\' \'z', ['a=x y z']],
    ["a=''", ['a=']],
    ["''", ['']],
    ['a=x\\ y', ['a=x y']],
    ['a="say \\"hi\\" \\n"', ['a=say "hi" \\n']],
    ["a='no \\ escape'", ['a=no \\ escape']],
    ['web # a=1', ['web']],
    ['web a=b#c d=1', ['web', 'a=b']],
    ["web a='b#c' d=1", ['web', 'a=b#c', 'd=1']],
    ["'a=b c'", ['a=b c']],
  ];
  for (const [line, expected] of table) it(line, () => expect(words(line)).to.deep.equal(expected));

  it('say where a quotation that is not closed begins', () => {
    expect(splitWords('web a=1 b="x').problem).to.deep.equal({ message: 'no closing quotation', start: 10 });
    expect(splitWords('web a=\\').problem).to.deep.equal({ message: 'no character after the backslash', start: 6 });
  });

  it('know the place of each character behind quotes', () => {
    const line = `web a='x'"y"`;
    const word = splitWords(line).words[1];
    expect(word && [0, 2, 3, 4].map((i) => offsetInWord(word, i))).to.deep.equal([4, 7, 10, 12]);
  });

  it('give back what was quoted, whichever way', () => {
    const single = (text: string): string => `'${text.replaceAll("'", `'"'"'`)}'`;
    const double = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
    const bare = (text: string): string => text.replace(/[^A-Za-z0-9]/gu, '\\$&');
    const quoted = fc.tuple(fc.string({ unit: 'binary', minLength: 1 }), fc.constantFrom(single, double, bare));
    fc.assert(
      fc.property(fc.array(quoted), (parts) => {
        const line = parts.map(([text, quote]) => quote(text)).join(' ');
        expect(words(line)).to.deep.equal(parts.map(([text]) => text));
      }),
    );
  });

  it('never throw, and lie within the line, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', "'", '\\', '#', ' ', 'a', '=') }), (line) => {
        for (const word of splitWords(line).words) expect(word.end).to.be.within(word.start, line.length);
      }),
    );
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { quoteWord, sh, splitWords } from '../../engine/index.ts';
import { runLocally } from '../support/module-rig.ts';

describe('words', () => {
  const values = (text: string): unknown => {
    const words = splitWords(text);
    return 'mistake' in words ? words.mistake : words.map((word) => word.value);
  };

  it('splits as a POSIX shell does, without expanding anything', () => {
    const cases: [string, unknown][] = [
      ['a  b\tc\n', ['a', 'b', 'c']],
      ['', []],
      [`'a b' "c d" e\\ f`, ['a b', 'c d', 'e f']],
      [`a'b'"c"d`, ['abcd']],
      [`"a\\"b\\$c\\d" '\\'`, ['a"b$c\\d', '\\']],
      [`'' ""`, ['', '']],
      ['$HOME ~ *.txt', ['$HOME', '~', '*.txt']],
      ['a\\\nb', ['ab']],
      [`it's`, "the quote ' at character 3 is never closed"],
      ['a "b', 'the quote " at character 3 is never closed'],
    ];
    for (const [text, wanted] of cases) expect(values(text), text).to.deep.equal(wanted);
  });

  it('gives back what was quoted, and every character of the text', () => {
    fc.assert(
      fc.property(fc.array(fc.string().filter((word) => !word.includes('\0'))), (list) => {
        const text = list.map(quoteWord).join(' ');
        expect(values(text)).to.deep.equal(list);
        const words = splitWords(text);
        if ('mistake' in words) throw new Error(words.mistake);
        expect(words.map((word) => word.space + word.raw).join('')).to.equal(text);
      }),
    );
  });

  it('agrees with this machine about odd quotes', async () => {
    for (const text of [`a"b c"'d e'\\f`, `"\\a\\\\\\"" x`, `'a'\\''b'`]) {
      const { stdout } = await runLocally(sh`eval ${`printf '%s\\n' ${text}`}`);
      expect(values(text), text).to.deep.equal(stdout.trimEnd().split('\n'));
    }
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { expandRanges } from '../../engine/inventory/ranges.ts';

const names = (pattern: string): readonly string[] => {
  const expansion = expandRanges(pattern);
  return 'names' in expansion ? expansion.names : [expansion.message];
};

describe('ranges in host names', () => {
  const table: Record<string, string> = {
    web: 'web',
    'web[1:3]': 'web1 web2 web3',
    'web[08:11]': 'web08 web09 web10 web11',
    'web[8:11]': 'web8 web9 web10 web11',
    'web[0:10:4]': 'web0 web4 web8',
    'web[:2]': 'web0 web1 web2',
    'web[1:03]': 'web1 web2 web3',
    'web[5:5]': 'web5',
    'db-[a:c]': 'db-a db-b db-c',
    'db-[a:f:2]': 'db-a db-c db-e',
    'db-[y:B]': 'db-y db-z db-A db-B',
    'r[1:2]-n[01:02].example.com': 'r1-n01.example.com r1-n02.example.com r2-n01.example.com r2-n02.example.com',
    '2001:db8::[1:2]': '2001:db8::1 2001:db8::2',
  };
  for (const [pattern, expected] of Object.entries(table)) {
    it(`${pattern} is ${expected}`, () => expect(names(pattern).join(' ')).to.equal(expected));
  }

  const mistakes: Record<string, string> = {
    'web[1]': 'a range is begin:end or begin:end:step',
    'web[1:2:3:4]': 'a range is begin:end or begin:end:step',
    'web[1:]': 'a range needs an end',
    'web[01:100]': 'a range with leading zeros needs a begin and an end of the same length',
    'web[3:1]': 'the range ends at 1, before it begins at 3',
    'web[c:a]': 'the range ends at a, before it begins at c',
    'web[a:3]': 'a range goes from a number to a number, or from a letter to a letter',
    'web[aa:cc]': 'a range goes from a number to a number, or from a letter to a letter',
    'web[1:9:0]': 'the step of a range is a number above 0, not "0"',
    'web[1:9:x]': 'the step of a range is a number above 0, not "x"',
    'web[1:3': 'a bracket without its partner',
    'web1]': 'a bracket without its partner',
    'web][1:3]': 'a bracket without its partner',
    'web[0:99999999999]': 'the name stands for more than 100,000 hosts',
    'web[1:1000][1:1000]': 'the name stands for more than 100,000 hosts',
  };
  for (const [pattern, expected] of Object.entries(mistakes)) {
    it(`${pattern}: ${expected}`, () => expect(names(pattern)).to.deep.equal([expected]));
  }

  it('count from begin to end by the step, both included, and keep the width of a padded begin', () => {
    const range = fc.tuple(fc.nat(300), fc.nat(300), fc.integer({ min: 1, max: 9 }), fc.boolean());
    fc.assert(
      fc.property(range, ([first, length, step, isPadded]) => {
        const width = isPadded ? 6 : 0;
        const text = (n: number): string => String(n).padStart(width, '0');
        const wanted: string[] = [];
        for (let n = first; n <= first + length; n += step) wanted.push(`n${text(n)}.x`);
        expect(names(`n[${text(first)}:${text(first + length)}:${step}].x`)).to.deep.equal(wanted);
      }),
    );
  });

  it('never give a name with a bracket, and never more than the limit, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('[', ']', ':', 'a', '0', '1', '9', '-') }), (text) => {
        const expansion = expandRanges(text);
        if (!('names' in expansion)) {
          expect(expansion.end).to.be.greaterThan(expansion.start);
          return;
        }
        expect(expansion.names.length).to.be.within(1, 100_000);
        expect(expansion.names.some((name) => /[[\]]/.test(name))).to.equal(false);
      }),
    );
  });
});

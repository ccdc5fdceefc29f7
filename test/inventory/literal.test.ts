import { expect } from 'chai';
import fc from 'fast-check';
import { parseLiteral } from '../../engine/inventory/literal.ts';

describe('values of an INI inventory', () => {
  const literals: [string, unknown][] = [
    ['true', true],
    ['True', true],
    ['false', false],
    ['False', false],
    ['null', null],
    ['None', null],
    ['0', 0],
    ['-5', -5],
    ['+5', 5],
    ['1_000', 1000],
    ['0x1f', 31],
    ['0o17', 15],
    ['0b101', 5],
    ['1.5', 1.5],
    ['1e3', 1000],
    ['.5', 0.5],
    ['"5"', '5'],
    ["'a b'", 'a b'],
    ['"a\\nb\\u0041\\x42"', 'a\nbAB'],
    ['\'a\' "b"', 'ab'],
    ["[u'a', U'b' u'c']", ['a', 'bc']],
    ["'\\101\\U0001F600\\/'", 'A\u{1F600}\\/'],
    ['[]', []],
    ['[1, "b", [None]]', [1, 'b', [null]]],
    ["{'a': 1, 'b': [True,],}", { a: 1, b: [true] }],
    ['{"a": {"b": null}}', { a: { b: null } }],
    ['8080 # the port', 8080],
  ];
  for (const [text, data] of literals)
    it(`${text} is data`, () => expect(parseLiteral(text)?.data).to.deep.equal(data));

  const texts = [
    '',
    'yes',
    'TRUE',
    '0123',
    '1.2.3',
    '1_',
    '12345678901234567890',
    '1e999',
    'foo # comment',
    '1,2',
    '"open',
    '[1',
    '[1 2]',
    '{1}',
    '{"a"}',
    "{['a']: 1}",
    '{{ name }}',
    '2024-01-01',
    '192.0.2.1',
    '5m',
    'u',
    "r'a'",
    '-',
  ];
  for (const text of texts) it(`${text || 'nothing'} is text`, () => expect(parseLiteral(text)).to.equal(undefined));

  it('tell when a number is printed otherwise than it was written', () => {
    expect(parseLiteral('1.20')).to.deep.equal({ data: 1.2, printedAs: '1.2' });
    expect(parseLiteral('1.2')).to.deep.equal({ data: 1.2 });
  });

  it('keep a key such as __proto__ as data', () => {
    const data = parseLiteral('{"__proto__": {"x": 1}}')?.data as object;
    expect(Object.keys(data)).to.deep.equal(['__proto__']);
    expect('x' in data).to.equal(false);
  });

  it('read all that JSON writes', () => {
    // Whole numbers past 2^53 and -0 are texts or 0 here, on purpose.
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
    const json = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('any')), fc.dictionary(fc.string(), tie('any'))),
    })).any;
    fc.assert(
      fc.property(json, (data) => {
        expect(JSON.stringify(parseLiteral(JSON.stringify(data))?.data)).to.equal(JSON.stringify(data));
      }),
    );
  });

  it('never throw, however deep the brackets', () => {
    expect(parseLiteral('['.repeat(100_000))).to.equal(undefined);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'[]{},:"\'\\ 1a#.') }), (text) => void parseLiteral(text)),
    );
  });
});

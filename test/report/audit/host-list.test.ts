import { expect } from 'chai';
import fc from 'fast-check';
import { compressNames, hostList } from '../../../engine/report/audit/host-list.ts';

describe('host list', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['n01 n02 n03 n07', 'n[01:03], n07'],
    ['n1 n2', 'n1, n2'],
    ['node-8 node-9 node-10 node-11', 'node-[8:11]'],
    ['n08 n09 n10', 'n[08:10]'],
    ['n8 n09 n10', 'n8, n09, n10'],
    ['web3 web1 web2 db1', 'web[1:3], db1'],
    ['n1.example.com n2.example.com n3.example.com', 'n[1:3].example.com'],
    ['rack1-n1 rack1-n2 rack1-n3 rack2-n1', 'rack1-n[1:3], rack2-n1'],
    ['10.0.0.1 10.0.0.2 10.0.0.3', '10.0.0.1, 10.0.0.2, 10.0.0.3'],
    ['fe80::1 fe80::2 fe80::3', 'fe80::1, fe80::2, fe80::3'],
    ['a b a', 'a, b'],
  ];
  for (const [names, expected] of rows) {
    it(`writes ${names} as ${expected}`, () => {
      expect(compressNames(names.split(' ')).join(', ')).to.equal(expected);
    });
  }

  it('stands for exactly the names that it was given', () => {
    const name = fc.tuple(fc.constantFrom('n', 'web-', 'r1n'), fc.nat(30), fc.constantFrom('', '.x'), fc.nat(2));
    fc.assert(
      fc.property(fc.array(name), (parts) => {
        const names = parts.map(([head, n, tail, zeros]) => `${head}${'0'.repeat(zeros)}${n}${tail}`);
        const written = compressNames(names).flatMap(expand);
        expect(written.toSorted()).to.deep.equal([...new Set(names)].sort());
      }),
    );
  });

  it('counts the hosts that it leaves out, not the pieces', () => {
    const names = ['a', 'c', 'e', 'n1', 'n2', 'n3', 'n4'];
    expect(hostList(names, 2)).to.equal('a, c and 5 more');
    expect(hostList(names, 3)).to.equal('a, c, e, n[1:4]');
  });
});

/** The names that a range of an inventory stands for. */
function expand(piece: string): string[] {
  const [, head = '', from = '', to = '', tail = ''] = /^(.*)\[(\d+):(\d+)\](.*)$/.exec(piece) ?? [];
  if (from === '') return [piece];
  const width = from.startsWith('0') ? from.length : 0;
  return Array.from(
    { length: Number(to) - Number(from) + 1 },
    (_, i) => head + String(Number(from) + i).padStart(width, '0') + tail,
  );
}

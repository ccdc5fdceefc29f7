import { expect } from 'chai';
import fc from 'fast-check';
import { parseAddress } from '../../engine/inventory/address.ts';

describe('host addresses', () => {
  const table: [string, string, string?][] = [
    ['web', 'web'],
    ['web:2222', 'web', '2222'],
    ['web[1:3]:2222', 'web[1:3]', '2222'],
    ['web[1:3]', 'web[1:3]'],
    ['192.0.2.1:22', '192.0.2.1', '22'],
    ['[web]:22', 'web', '22'],
    ['2001:db8::1', '2001:db8::1'],
    ['::1', '::1'],
    ['[2001:db8::1]:2022', '2001:db8::1', '2022'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::[1:3]', '2001:db8::[1:3]'],
    ['[1:3]', '[1:3]'],
    ['web:ssh', 'web:ssh'],
    ['web:', 'web:'],
  ];
  for (const [text, name, port] of table) {
    it(`${text} is ${name}${port ? ` at port ${port}` : ''}`, () => {
      const parsed = parseAddress(text);
      expect([parsed.name, parsed.port?.text]).to.deep.equal([name, port]);
    });
  }

  it('say where the name and the port stand', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: fc.constantFrom(...'[]:a1.') }), fc.ipV6(), fc.domain()), (text) => {
        const { name, start, port } = parseAddress(text);
        expect(text.slice(start, start + name.length)).to.equal(name);
        if (port) expect(text.slice(port.start)).to.equal(port.text);
      }),
    );
  });
});

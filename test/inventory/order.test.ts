import { expect } from 'chai';
import fc from 'fast-check';
import { hostOrders, orderHosts } from '../../engine/inventory/order.ts';

const hosts = ['web2', 'db', 'web10', 'Web1'].map((name) => ({ name }));
const names = (order: (typeof hostOrders)[number], random?: () => number): string =>
  orderHosts(hosts, order, random)
    .map((host) => host.name)
    .join(' ');

describe('order of hosts', () => {
  it('inventory is the order of the pattern', () => expect(names('inventory')).to.equal('web2 db web10 Web1'));
  it('reverse_inventory turns it round', () => expect(names('reverse_inventory')).to.equal('Web1 web10 db web2'));
  it('sorted is by name, capitals first and digits one by one', () =>
    expect(names('sorted')).to.equal('Web1 db web10 web2'));
  it('reverse_sorted turns that round', () => expect(names('reverse_sorted')).to.equal('web2 web10 db Web1'));

  it('shuffle follows the random numbers that it gets', () => {
    expect(names('shuffle', () => 0)).to.equal('db web10 Web1 web2');
    expect(names('shuffle', () => 0.999)).to.equal('web2 db web10 Web1');
  });

  it('shuffle gives each of the 24 orders of four hosts for an equal share of the random numbers', () => {
    const seen = new Set<string>();
    for (const a of [0, 1 / 4, 2 / 4, 3 / 4])
      for (const b of [0, 1 / 3, 2 / 3])
        for (const c of [0, 1 / 2]) {
          const numbers = [a, b, c];
          seen.add(names('shuffle', () => numbers.shift() ?? 0));
        }
    expect(seen.size).to.equal(24);
  });

  it('no order loses a host, doubles one, or touches the list that it gets', () => {
    const before = [...hosts];
    fc.assert(
      fc.property(fc.constantFrom(...hostOrders), (order) => {
        expect(orderHosts(hosts, order)).to.have.members(before);
        expect(hosts).to.deep.equal(before);
      }),
    );
  });
});

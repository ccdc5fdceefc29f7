import { expect } from 'chai';
import addHost from '../../modules/add-host.ts';
import { runAction } from './actions.ts';
import { mistakesOf } from './support.ts';

describe('add-host', () => {
  it('asks for the host, its groups and its variables, in check mode too', async () => {
    for (const isCheckMode of [false, true]) {
      expect(
        await runAction(addHost, { name: 'n9', groups: ['a', 'b'], variables: { x: 1 } }, { isCheckMode }),
      ).to.deep.equal({
        adds: { hosts: [{ name: 'n9', groups: ['a', 'b'], variables: { x: 1 } }] },
        message: 'n9 is in a, b',
        values: { name: 'n9', groups: ['a', 'b'] },
      });
    }
  });

  it('takes one group as a text, and none at all', async () => {
    expect((await runAction(addHost, { name: 'n9', groups: 'a' })).values).to.deep.equal({ name: 'n9', groups: ['a'] });
    expect((await runAction(addHost, { name: 'n9' })).message).to.equal('n9 is in the inventory');
  });

  for (const name of ['n1', 'node-1.example.org', '192.0.2.7', '2001:db8::7', 'a_b']) {
    it(`takes the name ${name}`, () => expect(mistakesOf(addHost, { name })).to.deep.equal([]));
  }

  for (const name of ['', 'a b', 'a,b', '!a', '&a', 'a*', '~a', '@a', 'a[0]', '{{x', 'a\n']) {
    it(`refuses the name ${JSON.stringify(name)}`, () => expect(mistakesOf(addHost, { name })).to.have.length(1));
  }

  it('refuses groups that no host pattern can mean, and variables that no template can read', () => {
    expect(mistakesOf(addHost, { name: 'n', groups: ['a:b'] }).join()).to.contain('"a:b" is no name of a group');
    expect(mistakesOf(addHost, { name: 'n', variables: { 'a-b': 1 } }).join()).to.contain(
      '"a-b" is no name of a variable',
    );
  });
});

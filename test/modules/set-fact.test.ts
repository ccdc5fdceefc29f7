import { expect } from 'chai';
import setFact from '../../modules/set-fact.ts';
import { runAction } from './actions.ts';
import { mistakesOf } from './support.ts';

describe('set-fact', () => {
  it('sets what it is given, of any type', async () => {
    const facts = { a: 1, b: { c: [true, null] } };
    expect(await runAction(setFact, facts)).to.deep.equal({ facts });
  });

  it('refuses names that no template could read, and nothing at all', () => {
    expect(mistakesOf(setFact, { 'a-b': 1 }).join()).to.contain('"a-b" is no name of a variable');
    expect(mistakesOf(setFact, {})).to.have.length(1);
  });
});

import { expect } from 'chai';
import assertModule from '../../modules/assert.ts';
import { runAction } from './actions.ts';
import { failureOf, mistakesOf } from './support.ts';

const yes = { text: 'a == 1', value: true };
const no = { text: 'b == 2', value: false };

describe('assert', () => {
  const run = (args: Record<string, unknown>) => runAction(assertModule, args, { isEvaluated: true });

  it('passes when every condition is true', async () => {
    expect(await run({ that: [yes, yes] })).to.deep.equal({ message: 'all 2 conditions are true' });
    expect(await run({ that: yes })).to.deep.equal({ message: 'it is so' });
  });

  it('names the conditions that are not true', async () => {
    expect(await failureOf(run({ that: [yes, no] }))).to.equal('a condition is not true:\nb == 2');
    expect(await failureOf(run({ that: [no, no], message: 'wrong node' }))).to.equal('wrong node\nb == 2\nb == 2');
  });

  it('does not take a value that is no boolean for true', async () => {
    expect(await failureOf(run({ that: { text: 'b', value: 'false' } }))).to.contain(
      'b  (gives "false", which is neither true nor false)',
    );
  });

  it('takes one condition or a list', () => {
    expect(mistakesOf(assertModule, { that: 'a' })).to.deep.equal([]);
    expect(mistakesOf(assertModule, { that: ['a'] })).to.deep.equal([]);
    expect(mistakesOf(assertModule, { that: 5 })).to.deep.equal(['"that" must be a string or a list, not 5']);
    expect(mistakesOf(assertModule, {})).to.deep.equal(['"that" is required']);
  });
});

import { expect } from 'chai';
import debug from '../../modules/debug.ts';
import { runAction } from './actions.ts';
import { mistakesOf } from './support.ts';

describe('debug', () => {
  it('shows a message or any value', async () => {
    expect((await runAction(debug, { message: 'hello' })).message).to.equal('hello');
    expect((await runAction(debug, { value: 'text' })).message).to.equal('text');
    expect((await runAction(debug, { value: null })).message).to.equal('null');
    const shown = await runAction(debug, { value: { a: [1] } });
    expect(shown).to.deep.equal({ message: '{\n  "a": [\n    1\n  ]\n}', values: { value: { a: [1] } } });
  });

  it('takes exactly one of them', () => {
    const message = 'exactly one of "message" and "value" is required';
    expect(mistakesOf(debug, {})).to.deep.equal([message]);
    expect(mistakesOf(debug, { message: 'a', value: 1 })).to.deep.equal([message]);
  });
});

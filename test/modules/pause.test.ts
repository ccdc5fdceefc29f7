import { expect } from 'chai';
import pause from '../../modules/pause.ts';
import { instantClock, runAction } from './actions.ts';
import { mistakesOf } from './support.ts';

describe('pause', () => {
  it('waits, and says why', async () => {
    const clock = instantClock();
    const { message } = await runAction(pause, { seconds: 1.5, reason: 'it settles' }, { clock });
    expect(clock.slept).to.deep.equal([1500]);
    expect(message).to.equal('waited 1.5 s: it settles');
  });

  it('does not wait in check mode', async () => {
    const clock = instantClock();
    expect(await runAction(pause, { seconds: 9 }, { clock, isCheckMode: true })).to.deep.equal({
      message: 'would wait 9 s',
    });
    expect(clock.slept).to.deep.equal([]);
  });

  it('takes a number of seconds', () => {
    expect(mistakesOf(pause, { seconds: '9' })).to.deep.equal(['"seconds" must be a number, not "9"']);
    expect(mistakesOf(pause, { seconds: -1 })).to.have.length(1);
  });
});

import { expect } from 'chai';
import fail from '../../modules/fail.ts';
import { runAction } from './actions.ts';
import { failureOf, mistakesOf } from './support.ts';

describe('fail', () => {
  it('fails with its message, in check mode too', async () => {
    expect(await failureOf(runAction(fail, { message: 'no cgroups' }))).to.equal('no cgroups');
    expect(await failureOf(runAction(fail, { message: 'no cgroups' }, { isCheckMode: true }))).to.equal('no cgroups');
  });

  it('needs a message', () => expect(mistakesOf(fail, {})).to.deep.equal(['"message" is required']));
});

import { expect } from 'chai';
import groupBy from '../../modules/group-by.ts';
import { runAction } from './actions.ts';
import { mistakesOf } from './support.ts';

describe('group-by', () => {
  it('puts its host into the group, and the group under its parents', async () => {
    const { adds, message, values } = await runAction(groupBy, { key: 'os_debian', parents: 'by_os' });
    expect(adds?.groups).to.deep.equal([{ name: 'os_debian', parents: ['by_os'] }]);
    expect(adds?.hosts?.map(({ groups }) => groups)).to.deep.equal([['os_debian']]);
    expect(message).to.equal('is in os_debian');
    expect(values).to.deep.equal({ group: 'os_debian' });
  });

  it('makes blanks to dashes, as in Ansible', async () =>
    expect((await runAction(groupBy, { key: 'Debian 12' })).values).to.deep.equal({ group: 'Debian-12' }));

  for (const key of ['', 'a:b', 'a,b', '!a', 'a*', '-a']) {
    it(`refuses the key ${JSON.stringify(key)}`, () => expect(mistakesOf(groupBy, { key })).to.have.length(1));
  }
});

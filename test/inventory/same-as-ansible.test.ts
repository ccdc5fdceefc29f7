import { expect } from 'chai';
import { askAnsible, askUs, describeWithAnsible, type Question } from './ansible.ts';

/** Inputs of which Ansible and we must say the same. */
const same: Readonly<Record<string, Question>> = {
  'INI: groups, children, variables': {
    files: { hosts: 'a\n[web]\nb x=1\nc\n[db]\nd\n[prod:children]\nweb\ndb\n[prod:vars]\ny=2\n[all:vars]\nz=3\n' },
    sources: ['hosts'],
  },
};

describeWithAnsible('inventories mean the same as in Ansible', () => {
  for (const [title, question] of Object.entries(same)) {
    it(title, async () => {
      const [theirs, ours] = await Promise.all([askAnsible(question), askUs(question)]);
      expect(ours).to.deep.equal(theirs);
    });
  }
});

import { expect } from 'chai';
import pLimit from 'p-limit';
import { askAnsible, askUs, describeWithAnsible, isRefusal, type Verdict } from './ansible.ts';
import { sameQuestions } from './ansible-questions.ts';

/** Each answer is a Python process of half a second: they are begun together, as many at a time as a small machine has cores. */
const atATime = 2;

describeWithAnsible('inventories mean the same as in Ansible', function () {
  this.timeout(120_000);
  const answers = new Map<string, Promise<Verdict>>();

  before(() => {
    const limit = pLimit(atATime);
    for (const [title, question] of Object.entries(sameQuestions)) {
      answers.set(
        title,
        limit(() => askAnsible(question)),
      );
    }
  });

  for (const [title, question] of Object.entries(sameQuestions)) {
    it(title, async () => {
      const theirs = await answers.get(title);
      const ours = await askUs(question);
      const isRefused = title.startsWith('refused: ');
      expect(isRefusal(theirs), `Ansible: ${isRefusal(theirs) ? theirs.refused : 'accepts it'}`).to.equal(isRefused);
      if (isRefused) expect(isRefusal(ours)).to.equal(true);
      else expect(ours).to.deep.equal(theirs);
    });
  }
});

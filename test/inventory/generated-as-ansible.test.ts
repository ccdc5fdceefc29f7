import { expect } from 'chai';
import fc from 'fast-check';
import { parseLiteral } from '../../engine/inventory/literal.ts';
import { askUsIn, createOracle, describeWithAnsible, isRefusal, layOut, type Question } from './ansible.ts';
import { anyQuestion, iniText, jsonText, literalText, yamlText } from './generated-inventories.ts';

describeWithAnsible('generated inventories mean the same as in Ansible', function () {
  this.timeout(120_000);
  let oracle: Awaited<ReturnType<typeof createOracle>>;
  before(async () => {
    oracle = await createOracle();
  });
  after(() => oracle[Symbol.asyncDispose]());

  const agree = (questions: fc.Arbitrary<Question>, numRuns: number): Promise<void> =>
    fc.assert(
      fc.asyncProperty(questions, async (question) => {
        await using folder = await layOut(question);
        const theirs = await oracle.inventory(folder.path, question);
        const ours = await askUsIn(folder.path, question);
        if (isRefusal(theirs) || isRefusal(ours)) {
          expect(isRefusal(ours), isRefusal(theirs) ? theirs.refused : JSON.stringify(ours)).to.equal(
            isRefusal(theirs),
          );
        } else expect(ours).to.deep.equal(theirs);
      }),
      { numRuns },
    );
  const alone = (text: fc.Arbitrary<string>, name: string): fc.Arbitrary<Question> =>
    text.map((content) => ({ files: { [name]: content }, sources: [name] }));

  it('INI', () => agree(alone(iniText, 'hosts'), 200));
  it('YAML', () => agree(alone(yamlText, 'hosts.yml'), 150));
  it('JSON', () => agree(alone(jsonText, 'hosts.json'), 100));
  it('all kinds, with variable files', () => agree(anyQuestion, 200));

  it('values of INI', async () => {
    const texts = fc.sample(literalText, 5000);
    const theirs = await oracle.literals(texts);
    for (const [i, text] of texts.entries()) {
      const expected = theirs[i];
      // Tuples are texts here, which ansible-differences.test.ts holds.
      if (!expected || expected.isTuple) continue;
      const literal = parseLiteral(text);
      expect(literal ? literal.data : text, JSON.stringify(text)).to.deep.equal(expected.data);
    }
  });
});

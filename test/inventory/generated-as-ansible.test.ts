import { expect } from 'chai';
import fc from 'fast-check';
import type { Diagnostic } from '../../engine/base/diagnostic.ts';
import { parseLiteral } from '../../engine/inventory/literal.ts';
import { checkWords } from '../../engine/inventory/yaml-words.ts';
import { parseYaml } from '../../engine/language/yaml.ts';
import { askUsIn, createOracle, describeWithAnsible, isRefusal, layOut, type Question } from './ansible.ts';
import { anyQuestion, iniText, jsonText, literalText, nameText, wordText, yamlText } from './generated-inventories.ts';
import { parse, variablesOf } from './rig.ts';

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

  it('names of hosts, as far as they are read', async () => {
    const texts = fc.sample(nameText, 3000);
    const theirs = await oracle.names(texts);
    for (const [i, text] of texts.entries()) {
      const { inventory, printed } = parse(`${text} x=1`);
      if (printed.includes(' error: ') || isKnownDifference(text)) continue;
      const hosts = [...inventory.hosts.values()];
      const port = hosts[0] && variablesOf(hosts[0]).ansible_port;
      const ours = { hosts: hosts.map(({ name }) => name), port: port ?? null };
      expect(ours, text).to.deep.equal(theirs[i] && { ...theirs[i], hosts: [...new Set(theirs[i].hosts)] });
    }
  });

  it('words of YAML, which are warned of where the versions differ and only there', async () => {
    const texts = fc.sample(wordText, 3000);
    const theirs = await oracle.words(texts);
    for (const [i, text] of texts.entries()) {
      const { root } = parseYaml({ path: 'words.yml', text });
      if (root?.kind !== 'scalar' || !theirs[i]) continue;
      const warnings: Diagnostic[] = [];
      checkWords(root, (warning) => warnings.push(warning));
      expect(warnings.length === 0, `${text}: ${root.value} or ${theirs[i].data}`).to.equal(
        root.value === theirs[i].data,
      );
    }
  });
});

/** Addresses that end in colons, brackets around a whole name, and ports where there are ranges without a begin. */
function isKnownDifference(text: string): boolean {
  return /::$|^\[.*\](:\d+)?$|\[:.*:\d+$/.test(text);
}

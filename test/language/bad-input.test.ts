import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { mistakesOf } from './fakes.ts';

/**
 * What users read about their mistakes, word for word. Each case of the fixture is a title, a playbook and the expected
 * text. `UPDATE_GOLDEN=1` writes what is said now: read the difference before you commit it.
 */
const fixture = new URL('../fixtures/language/bad-input.txt', import.meta.url);
const cases = (await readFile(fixture, 'utf8')).split(/^=== /m).slice(1).map(parseCase);

describe('bad input', () => {
  const written: string[] = [];
  for (const { title, playbook, expected } of cases) {
    it(`is explained: ${title}`, async () => {
      const actual = (await mistakesOf({ 'play.yaml': playbook })) || 'nothing is wrong';
      written.push(`=== ${title}\n${playbook}--- \n${actual}\n`);
      if (process.env.UPDATE_GOLDEN === undefined) expect(actual).to.equal(expected);
    });
  }
  after(async () => {
    if (process.env.UPDATE_GOLDEN !== undefined) await writeFile(fixture, written.join('\n'));
  });
});

function parseCase(text: string): { title: string; playbook: string; expected: string } {
  const [title = '', ...lines] = text.split('\n');
  const [playbook = '', expected = ''] = lines.join('\n').split(/^--- $\n?/m);
  return { title, playbook, expected: expected.trimEnd() };
}

import { expect } from 'chai';
import { oneLine } from '../../../modules/lib/one-line.ts';

describe('a command in one line', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['true', 'true'],
    ['  true\n\n', 'true'],
    ['set -e\ntrue', 'set -e…'],
    ['x'.repeat(100), 'x'.repeat(100)],
    ['x'.repeat(101), `${'x'.repeat(99)}…`],
    ['', ''],
  ];
  for (const [text, line] of cases) {
    it(`${JSON.stringify(text).slice(0, 30)} is ${JSON.stringify(line).slice(0, 30)}`, () =>
      expect(oneLine(text)).to.equal(line));
  }
});

import { expect } from 'chai';
import { chooseOutput, type OutputKind } from '../../engine/report/choose.ts';

describe('chooseOutput', () => {
  const cases: [title: string, kind: OutputKind, isTTY: boolean, env: NodeJS.ProcessEnv, chosen: string][] = [
    ['live rows on a terminal', 'auto', true, {}, 'terminal'],
    ['plain lines in a file', 'auto', false, {}, 'plain'],
    ['plain lines in CI, although it has a pty', 'auto', true, { CI: 'true' }, 'plain'],
    ['live rows with CI=false', 'auto', true, { CI: 'false' }, 'terminal'],
    ['plain lines with TERM=dumb', 'auto', true, { TERM: 'dumb' }, 'plain'],
    ['live rows in CI when asked for', 'terminal', true, { CI: 'true' }, 'terminal'],
    ['plain lines in a file even if live rows are asked for', 'terminal', false, {}, 'plain'],
    ['plain lines when asked for', 'plain', true, {}, 'plain'],
    ['events when asked for', 'ndjson', true, {}, 'ndjson'],
  ];
  for (const [title, kind, isTTY, env, chosen] of cases) {
    it(`takes ${title}`, () => {
      expect(chooseOutput(kind, { isTTY }, env)).to.equal(chosen);
    });
  }
});

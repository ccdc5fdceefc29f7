import { expect } from 'chai';
import { type ColorMode, createPaint, wantsColor } from '../../engine/report/paint.ts';

describe('paint', () => {
  const cases: [title: string, mode: ColorMode, env: NodeJS.ProcessEnv, isTTY: boolean, wanted: boolean][] = [
    ['a terminal', 'auto', {}, true, true],
    ['a file', 'auto', {}, false, false],
    ['a dumb terminal', 'auto', { TERM: 'dumb' }, true, false],
    ['NO_COLOR', 'auto', { NO_COLOR: '1' }, true, false],
    ['an empty NO_COLOR', 'auto', { NO_COLOR: '' }, true, true],
    ['FORCE_COLOR in a file', 'auto', { FORCE_COLOR: '1' }, false, true],
    ['FORCE_COLOR=0', 'auto', { FORCE_COLOR: '0' }, true, false],
    ['NO_COLOR over FORCE_COLOR', 'auto', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    ['--color=always over NO_COLOR', 'always', { NO_COLOR: '1' }, false, true],
    ['--color=never over FORCE_COLOR', 'never', { FORCE_COLOR: '1' }, true, false],
  ];
  for (const [title, mode, env, isTTY, wanted] of cases) {
    it(`${wanted ? 'colours' : 'does not colour'} with ${title}`, () => {
      expect(wantsColor(mode, env, isTTY)).to.equal(wanted);
    });
  }

  it('switches a colour off at the end of every line', () => {
    expect(createPaint(true).red('a\n\nb')).to.equal('\u001b[31ma\u001b[39m\n\n\u001b[31mb\u001b[39m');
    expect(createPaint(false).red('a')).to.equal('a');
  });
});

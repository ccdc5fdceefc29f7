import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { sh } from '../../../engine/base/sh.ts';
import { shareText } from '../../../engine/run/ahead/shared-text.ts';

/** What a shell makes of the words. */
function textsOf({ definitions, words }: ReturnType<typeof shareText>): string[] {
  const script = sh.lines([definitions, ...words.map((word) => sh`printf '%s\\001' ${word}`)]);
  return spawnSync('sh', ['-c', script.text], { encoding: 'utf8' }).stdout.split('\u0001').slice(0, -1);
}

const probe = (path: string): string =>
  `p=${path}\nif [ -f "$p" ]; then stat -c 'mode=%a' "$p"\nelse echo 'none'; fi\n`;

describe('texts that are written with what they have in common', () => {
  it('are what they were', () => {
    const line = fc.constantFrom(
      '',
      'a',
      "it's a long line, and 'quoted'",
      'x "$y" $(z) `w` \\ line',
      '# -- \t ü line',
    );
    const text = fc.array(line, { maxLength: 6 }).map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (texts) => {
        expect(textsOf(shareText(texts))).to.deep.equal(texts);
      }),
      { numRuns: 100 },
    );
  });

  it('have it once', () => {
    const { definitions, words } = shareText(['/etc/a', '/etc/b', '/etc/c'].map(probe).concat('uname -r'));
    const all = sh.lines([definitions, ...words]).text;
    expect(all.split('stat -c')).to.have.length(2);
    expect(words[3]?.text).to.equal("'uname -r'");
  });
});

import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { Secret } from '../../engine/base/secret.ts';
import { quoteWord, sh } from '../../engine/base/sh.ts';

describe('sh', () => {
  it('quotes every value as one word', () => {
    expect(sh`cat ${'a b'} ${"it's"} ${''} ${'plain.txt'}`.text).to.equal(`cat 'a b' 'it'\\''s' '' plain.txt`);
  });

  it('makes several words of a list, inlines scripts, and takes numbers and booleans', () => {
    expect(sh`rm -- ${['a', 'b c']}; ${sh`echo ${1}`} ${true}`.text).to.equal(`rm -- a 'b c'; echo 1 true`);
  });

  it('refuses what no command line can or may carry', () => {
    expect(() => sh`echo ${'a\0b'}`).to.throw('NUL');
    expect(() => sh`echo ${new Secret('x') as never}`).to.throw('stdin');
    expect(() => sh`echo ${[new Secret('x')] as never}`).to.throw('stdin');
    expect(() => sh`echo ${undefined as never}`).to.throw('undefined');
    expect(() => sh`echo ${null as never}`).to.throw('null');
    expect(() => sh`echo ${{ text: 'rm -rf /' } as never}`).to.throw('object');
  });

  it('joins scripts so that the first failure ends an `all`, and none ends `lines`', () => {
    const run = (text: string): string => execFileSync('/bin/sh', ['-c', text], { encoding: 'utf8' });
    expect(run(`${sh.all([sh`echo 1`, sh`false`, sh`echo 2`]).text} || true`)).to.equal('1\n');
    expect(run(sh.lines([sh`echo 1`, sh`false`, sh`echo 2`]).text)).to.equal('1\n2\n');
  });

  it('gives any text back through a real shell', () => {
    const word = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((s) => !s.includes('\0'));
    fc.assert(
      fc.property(word, (text) => {
        const printed = execFileSync('/bin/sh', ['-c', sh`printf %s ${text}`.text], { encoding: 'utf8' });
        expect(printed).to.equal(text);
      }),
      { numRuns: 60 },
    );
  });

  it('leaves plain words readable', () => {
    expect(quoteWord('/etc/containerd/config.toml')).to.equal('/etc/containerd/config.toml');
    expect(quoteWord('~root')).to.equal(`'~root'`);
  });
});

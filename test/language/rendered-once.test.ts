import { expect } from 'chai';
import { revealText, Secret } from '../../engine/base/secret.ts';
import { UnknownValueError } from '../../engine/base/unknown.ts';
import { renderedOnce } from '../../engine/language/rendered-once.ts';
import { createScope } from '../../engine/language/scope.ts';
import { compileTemplate } from '../../engine/language/template.ts';
import type { Scope } from '../../engine/language/value.ts';

/** Renders a template for hosts with these variables: what came of it, and how often it was rendered. */
function renderAll(
  text: string,
  hosts: readonly Scope[],
): { readonly texts: readonly unknown[]; readonly times: number } {
  let times = 0;
  const compiled = compileTemplate({ path: 't.hbs', text });
  const template = renderedOnce({
    ...compiled,
    render(scope) {
      times++;
      return compiled.render(scope);
    },
  });
  return { texts: hosts.map((host) => template.render(createScope([host]))), times };
}

describe('a template', () => {
  it('is rendered once for hosts for which it reads the same', () => {
    const hosts = ['a', 'b', 'a', 'b', 'a'].map((zone, i) => ({ zone, port: 80, name: `n${i}` }));
    expect(renderAll('{{zone}}:{{port}}', hosts)).to.deep.equal({
      texts: ['a:80', 'b:80', 'a:80', 'b:80', 'a:80'],
      times: 2,
    });
  });

  it('is rendered for each host where what decides it differs, though it is not printed', () => {
    const hosts = [{ tls: true, x: 1 }, { tls: false, x: 1 }, { x: 1 }, { tls: true, x: 1 }];
    const { texts, times } = renderAll('{{#if tls}}s{{/if}}{{default port 1}}', hosts);
    expect([texts, times]).to.deep.equal([['s1', '1', '1', 's1'], 3]);
    expect(renderAll('{{default port 1}}', [{}, { port: 2 }, {}]).texts).to.deep.equal(['1', '2', '1']);
  });

  it('tells one type from another', () => {
    expect(renderAll('{{json x}}', [{ x: 1 }, { x: '1' }, { x: null }, { x: false }]).texts).to.deep.equal([
      '1',
      '"1"',
      'null',
      'false',
    ]);
  });

  it('is rendered for each host when it reads a map, a list or a secret', () => {
    const map = { name: 'first' };
    expect(renderAll('{{m.name}}', [{ m: map }, { m: map }]).times).to.equal(2);
    expect(renderAll('{{#each l}}{{this}}{{/each}}', [{ l: ['a'] }, { l: ['b'] }]).texts).to.deep.equal(['a', 'b']);
    const { texts } = renderAll('{{s}}', [{ s: new Secret('one') }, { s: new Secret('two') }]);
    expect(texts.map((text) => text instanceof Secret && revealText(text))).to.deep.equal(['one', 'two']);
  });

  it('reads of the next host no more than that host needs', () => {
    const raising = (own: Scope): Scope =>
      Object.defineProperty({ ...own }, 'x', {
        enumerable: true,
        get: () => {
          throw new Error('nobody may read it');
        },
      });
    const text = '{{#if isSet}}{{x}}{{else}}-{{/if}}';
    expect(renderAll(text, [{ isSet: true, x: 'a' }, raising({ isSet: false })]).texts).to.deep.equal(['a', '-']);
    // A name that is missing is told, whatever the others are.
    expect(() => renderAll('{{nosuch}}', [raising({})])).to.throw('"nosuch" is not defined');
    expect(() => renderAll('{{#each l}}{{x}}{{/each}}', [raising({ l: [{}] })])).to.throw('"x" is not defined');
  });

  it('is rendered for each host when it reads all variables, from wherever', () => {
    for (const text of ['{{json this}}', '{{#with m}}{{json ..}}{{/with}}', '{{json @root}}'])
      expect(renderAll(text, [{ m: { a: 1 } }, { m: { a: 2 } }]).texts[1], text).to.contain('2');
    for (const text of ['{{@root.x}}', '{{#if x}}{{/if}}{{@root.x}}'])
      expect(renderAll(text, [{ x: 1 }, { x: 2 }, { x: 1 }]), text).to.deep.equal({ texts: ['1', '2', '1'], times: 2 });
  });

  it('reads the values that are given to it over those of the host', () => {
    const compiled = renderedOnce(compileTemplate({ path: 't.hbs', text: '{{x}}' }));
    const texts = [1, 2, 1].map((x) => compiled.render(createScope([{ x: 0 }, { x }])));
    expect(texts).to.deep.equal(['1', '2', '1']);
  });

  it('raises what check mode cannot know for the hosts of which it does not', () => {
    const unknown = Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw new UnknownValueError('it is not known');
      },
    });
    expect(() => renderAll('{{x}}', [{ x: 1 }, unknown])).to.throw(UnknownValueError);
  });

  it('keeps the texts of a few groups of hosts, and renders the others', () => {
    const hosts = Array.from({ length: 40 }, (_, i) => ({ x: i % 20 }));
    const { texts, times } = renderAll('{{x}}', hosts);
    expect(texts).to.deep.equal(hosts.map(({ x }) => String(x)));
    expect(times).to.equal(16 + 4 * 2);
  });
});

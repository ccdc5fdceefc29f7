import { expect } from 'chai';
import { revealText, Secret } from '../../engine/base/secret.ts';
import { createScope } from '../../engine/language/scope.ts';
import { compileTemplate } from '../../engine/language/template.ts';
import type { Scope } from '../../engine/language/value.ts';
import { renderedOnce } from '../../engine/run/rendered-once.ts';

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

  it('is looked at for the next host no further than for this one', () => {
    const host = (isSet: boolean): Scope =>
      Object.defineProperty({ isSet }, 'x', {
        enumerable: true,
        get: () => {
          throw new Error('nobody may read it');
        },
      });
    expect(renderAll('{{#unless isSet}}-{{else}}{{x}}{{/unless}}', [host(false), host(false)])).to.deep.equal({
      texts: ['-', '-'],
      times: 1,
    });
  });

  it('forgets the renderings of long ago', () => {
    const hosts = Array.from({ length: 40 }, (_, i) => ({ x: i % 20 }));
    expect(renderAll('{{x}}', hosts).texts).to.deep.equal(hosts.map(({ x }) => String(x)));
  });
});

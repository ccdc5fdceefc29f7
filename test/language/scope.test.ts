import { expect } from 'chai';
import { compileTemplate } from '../../engine/language/compile.ts';
import { createScope } from '../../engine/language/scope.ts';
import { expression, mistakesIn, value } from './fakes.ts';

const variables = (texts: Record<string, string>) =>
  new Map(Object.entries(texts).map(([name, text]) => [name, value(text)]));

describe('scopes', () => {
  it('let later layers win, compiled ones and data alike', () => {
    const scope = createScope([{ a: 1, b: 1, c: 1 }, variables({ b: 'two', c: 'two' }), { c: 3 }]);
    expect({ ...scope }).to.deep.equal({ a: 1, b: 'two', c: 3 });
    expect(Object.keys(scope)).to.deep.equal(['a', 'b', 'c']);
  });

  it('render a value with all of the scope, whichever layer it is in', () => {
    const scope = createScope([
      variables({ greeting: 'hello {{ name }}' }),
      variables({ name: '{{ host }}!' }),
      { host: 'n1' },
    ]);
    expect(scope.greeting).to.equal('hello n1!');
    expect(createScope([variables({ a: '{{ item }}' }), { item: 5 }]).a).to.equal(5);
  });

  it('never render data', () => {
    const scope = createScope([
      variables({ out: '{{ stdout }}', text: 'x {{ stdout }}' }),
      { stdout: '{{ secret }} ${x}' },
    ]);
    expect([scope.out, scope.text]).to.deep.equal(['{{ secret }} ${x}', 'x {{ secret }} ${x}']);
  });

  it('read and render nothing before it is asked for, and then once', () => {
    let reads = 0;
    const counted = { ...value('x'), render: () => ++reads };
    const data = Object.defineProperty({}, 'd', { enumerable: true, get: () => ++reads }) as Record<string, unknown>;
    const scope = createScope([new Map([['v', counted]]), data, variables({ broken: '{{ nosuch }}' })]);
    const copy = Object.create(null, Object.getOwnPropertyDescriptors(scope)) as typeof scope;
    expect([Object.keys(scope), 'v' in scope, Object.hasOwn(scope, 'd'), reads]).to.deep.equal([
      ['v', 'd', 'broken'],
      true,
      true,
      0,
    ]);
    expect([scope.v, scope.v, scope.d, scope.d, copy.v]).to.deep.equal([1, 1, 2, 2, 1]);
  });

  it('name the chain of a variable that needs itself', async () => {
    const scope = createScope([variables({ a: '{{ b }}', b: 'x{{ c }}', c: '{{ a }}', d: '{{ a }}' })]);
    for (const name of ['a', 'd']) {
      const message = await mistakesIn(() => scope[name]);
      expect(message).to.contain('the variable "a" needs its own value: "a" → "b" → "c" → "a"');
      expect(message).to.match(/^t\.yaml:1:1: /);
    }
    expect(await mistakesIn(() => createScope([{ a: 1 }, variables({ a: '{{ a }}' })]).a)).to.contain('"a" → "a"');
  });

  it('can be read again after a failure', async () => {
    const scope = createScope([variables({ a: '{{ nosuch }}' })]);
    for (const _ of [1, 2]) expect(await mistakesIn(() => scope.a)).to.contain('"nosuch" is not defined');
  });

  it('have no names but their own', () => {
    const scope = createScope([{}]);
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect([scope[name], name in scope]).to.deep.equal([undefined, false]);
    }
    expect(() => Object.assign(scope, { x: 1 })).to.throw(TypeError);
  });

  it('are read by templates and expressions alike', () => {
    const scope = createScope([variables({ port: '{{ base }}' }), { base: 8080 }]);
    expect(expression('port == 8080 && base == port').test(scope)).to.equal(true);
    expect(value('{{ port }}').render(scope)).to.equal(8080);
  });

  it('can be left with ../ inside of {{#each}} over plain values', () => {
    const template = compileTemplate({ path: 'a.hbs', text: '{{#each ports}}{{../host}}:{{this}} {{/each}}' });
    expect(template.render(createScope([{ host: 'n1', ports: [80, 'http', true] }]))).to.equal(
      'n1:80 n1:http n1:true ',
    );
  });
});

import { expect } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import { partlyKnown, UnknownValueError } from '../../engine/base/unknown.ts';
import { compileTemplate } from '../../engine/language/compile.ts';
import { createScope } from '../../engine/language/scope.ts';
import { templateHelpers } from '../../engine/language/template/helpers.ts';
import { mistakesIn, value } from './fakes.ts';

const scope = {
  port: 8080,
  zero: 0,
  yes: true,
  no: false,
  nothing: null,
  name: 'node-1',
  list: [1, 2],
  empty: [],
  deep: { one: { two: 'x' } },
  items: [{ name: 'a' }, { name: 'b' }],
  password: new Secret('hunter2'),
  data: '{{ name }}',
};

describe('templates', () => {
  const renders: readonly (readonly [string, unknown])[] = [
    ['plain text', 'plain text'],
    ['{{ port }}', 8080],
    ['{{ list }}', [1, 2]],
    ['{{ deep.one }}', { two: 'x' }],
    ['{{ no }}', false],
    ['{{ nothing }}', null],
    ['{{~ port ~}}', 8080],
    ['{{{ port }}}', 8080],
    ['{{ eq port 8080 }}', true],
    ['p={{ port }}', 'p=8080'],
    ['{{ port }}{{ port }}', '80808080'],
    ['{{ nothing }}|{{ no }}|{{ zero }}', '|false|0'],
    ['<{{ name }}> & "x"', '<node-1> & "x"'],
    ['\\{{ name }} stays', '{{ name }} stays'],
    ['{{! a comment }}x', 'x'],
    ['{{#each list}}{{this}}:{{@index}} {{/each}}', '1:0 2:1 '],
    ['{{#each list as |n i|}}{{n}}{{i}}{{/each}}', '1021'],
    ['{{#each items}}{{name}}{{../port}}{{@root.port}}{{/each}}', 'a80808080b80808080'],
    ['{{#each empty}}x{{else}}none{{/each}}', 'none'],
    ['{{#each deep.one}}{{@key}}={{this}}{{/each}}', 'two=x'],
    ['{{#with deep.one}}{{two}}{{/with}}', 'x'],
    ['{{#if nosuch}}y{{else}}n{{/if}}', 'n'],
    ['{{#if deep.nosuch}}y{{else if yes}}z{{/if}}', 'z'],
    ['{{#unless nosuch}}n{{/unless}}', 'n'],
    ['{{#if (and yes (not no))}}y{{/if}}', 'y'],
    ['{{ default nosuch "d" }}', 'd'],
    ['{{ default nothing 5 }}', 5],
    ['{{ default deep.one.nosuch list }}', [1, 2]],
    ['{{ defined nosuch }}', false],
    ['{{ defined port }}', true],
    ['{{ lookup list 1 }}', 2],
    ['{{ lookup deep "one" }}', { two: 'x' }],
    ['{{ json deep }}', '{"one":{"two":"x"}}'],
    ['{{ yaml deep }}', 'one:\n  two: x'],
    ['{{ join list "-" }}', '1-2'],
    ['{{ upper name }}{{ lower "X" }}{{ trim " x " }}', 'NODE-1xx'],
    ['{{ replace name "node" "n" }}', 'n-1'],
    ['{{ basename "/a/b.c" }} {{ dirname "/a/b.c" }}', 'b.c /a'],
    ['{{ quote "it\'s" }}', "'it'\\''s'"],
    ['{{ b64encode "ä" }}', 'w6Q='],
    ['{{ indent "a\nb" 2 }}', 'a\n  b'],
    ['{{ lt 2 10 }}{{ gt "b" "a" }}{{ ne 1 2 }}{{ or no yes }}', 'truetruetruetrue'],
    // What a variable holds is data.
    ['{{ data }}', '{{ name }}'],
    ['x {{ data }}', 'x {{ name }}'],
  ];
  for (const [text, expected] of renders) {
    it(`renders ${JSON.stringify(text)}`, () => expect(value(text).render(scope)).to.deep.equal(expected));
  }

  const refused: readonly (readonly [string, string])[] = [
    ['a {{ nmae2 }}', '1:6: error: "nmae2" is not defined'],
    ['x\n  {{ nosuch }}', '2:6: error: "nosuch" is not defined'],
    ['{{ deep.one.three }}', '1:4: error: "deep.one" has no "three"'],
    ['{{ port.x }}', '"port" is a number and has no "x"'],
    ['{{ nothing.x }}', '"nothing" is null and has no "x"'],
    ['{{#if deep.no.such}}{{/if}}', '"deep" has no "no"'],
    ['{{#each nosuch}}{{/each}}', '1:9: error: "nosuch" is not defined'],
    ['{{ join nosuch "," }}', '1:9: error: "nosuch" is not defined'],
    ['{{#each items}}{{port}}{{/each}}', 'a variable is written {{@root.port}}'],
    ['{{ facts.os }}', 'hint: set gather_facts: true in the play'],
    ['{{ naem }}', '"naem" is not defined'],
    ['x{{ list }}', 'use {{join x ","}} or {{json x}}'],
    ['x{{ deep }}', 'use {{json x}}'],
    ['{{ lookup list 7 }}', 'there is no 7 in this list'],
    ['{{ lookup list "length" }}', 'there is no "length" in this list'],
    ['{{ join port "," }}', 'join takes a list, not a number'],
    ['{{ upper list }}', 'upper takes a text, not a list'],
    ['{{ lt 1 "2" }}', 'lt compares two numbers or two texts'],
    ['{{ password.length }}', '"password" has no "length"'],
    ['{{ lookup deep password }}', 'there is no "********" in this map'],
    // Nothing of JavaScript's own can be reached.
    ['{{ constructor }}', '"constructor" is not defined'],
    ['{{ toString }}', '"toString" is not defined'],
    ['{{ deep.constructor }}', '"deep" has no "constructor"'],
    ['{{ deep.__proto__ }}', '"deep" has no "__proto__"'],
    ['{{ lookup deep "constructor" }}', 'there is no "constructor" in this map'],
    ['{{#with deep}}{{constructor}}{{/with}}', '"constructor" is not defined'],
    ['{{ __capture port }}', 'there is no helper "__capture"'],
    ['{{ __get deep "one" }}', 'there is no helper "__get"'],
    // Found without variables.
    ['{{ upperr name }}', 'did you mean "upper"?'],
    ['{{ upper }}', 'write {{upper x}}'],
    ['a {{ name | upper }}', 'there are no filters'],
    ['{{#each x as |y|}} {{ y', 'a literal {{ is written'],
    ['{{ replace name "a" }}', 'replace is called with 2 arguments'],
    ['{{ if name }}', 'write {{#if x}} … {{/if}}'],
    ['{{#upper name}}{{/upper}}', 'there is no block "upper"'],
    ['{{#if}}{{/if}}', '{{#if}} takes one value'],
    ['{{> other}}', 'templates cannot include other templates'],
    ['{{* x}}', 'decorators'],
    ['{{ @indx }}', 'there is no "@indx"'],
    ['{{ json x pretty=true }}', 'helpers take no named arguments'],
    ['{{#if x}}y', 'the template ends too early'],
    ['{{#if x}}{{/each}}', "if doesn't match each"],
    ['a {{ x', '1:3: error: this {{ is not closed'],
  ];
  for (const [text, expected] of refused) {
    it(`refuses ${JSON.stringify(text)}`, async () => {
      expect(await mistakesIn(() => value(text).render(scope))).to.contain(expected);
    });
  }

  it('keeps a secret that stands alone, and passes it through default', () => {
    expect(value('{{ password }}').render(scope)).to.equal(scope.password);
    expect(value('{{ default password "x" }}').render(scope)).to.equal(scope.password);
  });

  describe('with a secret in them', () => {
    const inside = {
      password: new Secret('hunter2'),
      user: { password: new Secret('pw') },
      list: [new Secret('one')],
      n: 1,
    };

    const secret: readonly (readonly [string, string])[] = [
      ['x {{ password }}', 'x hunter2'],
      ['{{#if n}}{{ password }}{{/if}} {{ n }}', 'hunter2 1'],
      ['{{#each list}}{{ this }};{{/each}}', 'one;'],
      ['{{ upper password }}', 'HUNTER2'],
      ['{{ b64encode (upper password) }}', 'SFVOVEVSMg=='],
      ['{{ replace "a-b" "-" password }}', 'ahunter2b'],
      ['{{ json user }}', '{"password":"pw"}'],
      ['{{ yaml user }}', 'password: pw'],
      ['x {{ join list "," }}', 'x one'],
      ['{{ indent password 2 }}', 'hunter2'],
    ];
    for (const [text, revealed] of secret) {
      it(`makes a secret of ${text}`, () => {
        const rendered = value(text).render(inside);
        expect(rendered).to.be.instanceOf(Secret);
        expect((rendered as Secret).reveal()).to.equal(revealed);
        expect(String(rendered)).to.equal('********');
      });
    }

    const plain: readonly (readonly [string, unknown])[] = [
      ['{{ eq password "hunter2" }}', true],
      ['{{ ne password "hunter2" }}', false],
      ['{{ lt password "i" }}', true],
      ['{{ and password n }}', true],
      ['{{ not password }}', false],
      ['{{ defined password }}', true],
      ['{{#if (eq (upper password) "HUNTER2")}}yes{{/if}}', 'yes'],
      ['{{ n }} x', '1 x'],
    ];
    for (const [text, expected] of plain) {
      it(`leaves ${text} in the open`, () => {
        expect(value(text).render(inside)).to.equal(expected);
      });
    }

    it('makes a secret of a whole file', () => {
      const template = compileTemplate({ path: 'a.hbs', text: 'a={{ n }}\nb={{ password }}\n' });
      expect(template.render({ n: 1, password: 'x' })).to.equal('a=1\nb=x\n');
      expect((template.render(inside) as Secret).reveal()).to.equal('a=1\nb=hunter2\n');
    });

    it('tells of every other form of a secret that it makes', () => {
      const found: string[] = [];
      const password = new Secret('hunter2', (made) => found.push(made.reveal()));
      value('x {{ upper password }}').render({ password });
      expect(found).to.deep.equal(['HUNTER2']);
    });
  });

  it('raises what check mode cannot know as it is', () => {
    const unknown = { result: partlyKnown({ changed: true }, 'was not run') };
    expect(value('{{ result.changed }}').render(unknown)).to.equal(true);
    const reading = [
      '{{ result.stdout }}',
      'x {{ result.stdout }}',
      '{{ json result }}',
      '{{#if result.stdout}}{{/if}}',
    ];
    for (const text of reading)
      expect(() => value(text).render(unknown), text).to.throw(UnknownValueError, 'was not run');
  });

  it('reads scopes of getters, of no prototype, and of our own', () => {
    const bare = Object.create(null) as Record<string, unknown>;
    Object.defineProperty(bare, 'x', { enumerable: true, get: () => ({ y: 1 }) });
    for (const lazy of [bare, createScope([bare])]) expect(value('{{ x.y }}').render(lazy)).to.equal(1);
  });

  it('says which variables a text reads', () => {
    const paths = (text: string) => value(text).references.map((r) => r.path.join('.'));
    expect(paths('{{ a.b }} {{ upper (default c.d "x") }}')).to.deep.equal(['a.b', 'c']);
    expect(paths('{{#each a}}{{b}}{{../c}}{{@root.d}}{{this}}{{/each}}')).to.deep.equal(['a', 'c', 'd']);
    expect(paths('{{#each a as |x|}}{{x.y}}{{/each}}{{#if facts.os}}{{/if}}')).to.deep.equal(['a', 'facts']);
    expect(paths('no \\{{ variable }}')).to.deep.equal([]);
  });

  it('compiles a whole file, with its own places', async () => {
    const template = compileTemplate({ path: 'a.hbs', text: '# {{ name }}\n{{#each list}}\n{{this}}\n{{/each}}\n' });
    expect(template.render(scope)).to.equal('# node-1\n1\n2\n');
    expect(template.references.map((r) => r.path)).to.deep.equal([['name'], ['list']]);
    const broken = compileTemplate({ path: 'a.hbs', text: '"quoted"\r\n  x: {{ nosuch }}' });
    expect(await mistakesIn(() => broken.render(scope))).to.match(/^a\.hbs:2:9: error: "nosuch" is not defined/);
    expect(compileTemplate({ path: 'b', text: 'none' }).render({})).to.equal('none');
    // As a value it would be a number.
    expect(compileTemplate({ path: 'c', text: '{{ n }}' }).render({ n: 1 })).to.equal('1');
  });

  it('documents every helper', () => {
    for (const [name, helper] of Object.entries(templateHelpers)) {
      expect(helper.usage.split(' ')[0]).to.equal(name);
      expect(helper.summary, name).to.not.equal('');
    }
  });
});

import { expect } from 'chai';
import { Secret } from '../../engine/base/secret.ts';
import { partlyKnown, UnknownValueError } from '../../engine/base/unknown.ts';
import { createScope } from '../../engine/language/scope.ts';
import { compareVersions } from '../../engine/language/versions.ts';
import { expression, mistakesIn } from './fakes.ts';

const hostvars = { n1: createScope([{ a: 1 }]), n2: createScope([{ a: 2 }]) };
const scope = {
  cpus: 2,
  name: 'node-1',
  version: '1.6.20',
  groups_of: ['master', 'etcd'],
  facts: { os: { family: 'Debian' } },
  rows: [{ n: 1 }, { n: 5 }],
  nothing: null,
  password: new Secret('hunter2'),
  hostvars,
};

describe('expressions', () => {
  const results: readonly (readonly [string, unknown])[] = [
    ['facts.os.family == "Debian" && "master" in groups_of && version.startsWith("1.6")', true],
    ['cpus >= 2', true],
    ['cpus * 2', 4],
    ['cpus / 4 + 1', 1.5],
    ['cpus % 2 == 0', true],
    ['size(groups_of) * 1.5', 3],
    ['size(groups_of)', 2],
    ['[1, "a"]', [1, 'a']],
    ['{"a": [1]}', { a: [1] }],
    ['rows.map(r, r.n)', [1, 5]],
    ['rows.filter(r, r.n > 1)', [{ n: 5 }]],
    ['rows.exists(r, r.n == 5)', true],
    ['groups_of[1]', 'etcd'],
    ['facts["os"].family', 'Debian'],
    ['has(facts.os)', true],
    ['has(facts.nosuch)', false],
    ['facts.?nosuch.orValue("d")', 'd'],
    ['nothing == null', true],
    ['name.matches("^node-[0-9]+$")', true],
    ['name.replace("node", "n")', 'n-1'],
    ['versionAtLeast(version, "1.6")', true],
    ['versionCompare("1.10", "1.9") > 0', true],
    ['"n1" in hostvars', true],
    ['hostvars["n2"].a', 2],
    ['cpus > 1 ? "many" : "one"', 'many'],
    ['timestamp("2020-01-01T00:00:00Z")', '2020-01-01T00:00:00.000Z'],
    ['uint(3)', 3],
    ['true', true],
  ];
  for (const [text, expected] of results) {
    it(`evaluates ${text}`, () => expect(expression(text).evaluate(scope)).to.deep.equal(expected));
  }

  const refused: readonly (readonly [string, string])[] = [
    ['nosuch == 1', '1:1: error: "nosuch" is not defined'],
    ['naem == 1', '"naem" is not defined'],
    ['cpu == 1', 'did you mean "cpus"?'],
    ['facts.os.famly == "x"', '1:10: error: "facts.os" has no "famly"'],
    ['facts.os.famly == "x"', 'did you mean "family"?'],
    ['facts.nosuch == "x"', 'facts.?nosuch.orValue("…")'],
    ['cpus.x', '"cpus" is the number 2 and has no "x"'],
    ['nothing.x', '"nothing" is null and has no "x"'],
    ['groups_of[7]', 'index out of bounds'],
    ['name + cpus', 'these types do not go together: string + double'],
    ['versionAtLeast(cpus, "1")', 'put it in quotes where it is defined'],
    ['int(password) == 1', 'int cannot be done with this secret'],
    ['"x".matches("(" + password)', 'matches cannot be done with this secret'],
    ['password + 1', 'these types do not go together: Secret + int'],
    ['password == 1', 'a secret is never the same as a number'],
    ['2 in [password]', 'write int(x)'],
    ['"hunter2" in password', '"in" looks in a list or a map'],
    ['bytes(password)', 'no function'],
    ['facts.?nosuch', 'end it with .orValue("…")'],
    ['cpus && true', 'logical operator requires bool operands'],
    ['constructor', '"constructor" is not defined'],
    ['facts.constructor', '"facts" has no "constructor"'],
    ['facts.__proto__', '"facts" has no "__proto__"'],
    ['hostvars.constructor', '"hostvars" has no "constructor"'],
    ['name.matches("(")', 'invalid regular expression'],
    // Found without variables.
    ['', 'the expression ends too early'],
    ['cpus ==', '1:8: error: the expression ends too early'],
    ['foo(cpus)', "no function 'foo(…)'"],
    ['name.foo()', "no method 'foo()'"],
    ['"a" < 1', 'these types do not go together: string < int'],
    ['a and b', 'write && for and'],
    ['a is defined', 'has(x.y) asks for a member'],
    ['has(a)', 'has(x.y) asks for a member'],
    ['a | default("x")', 'there are no filters'],
    ['a = 1', 'compare with =='],
    ['{{ a }} == 1', 'an expression is written without {{ }}'],
    ['package == "x"', 'package is a reserved word'],
    ['list.size() > 1', '"list" is the name of a type here'],
    ['x == True', 'write true'],
  ];
  for (const [text, expected] of refused) {
    it(`refuses ${text || 'nothing'}`, async () => {
      const scopeOf = { ...scope, x: 1, a: 1, b: 1 };
      expect(await mistakesIn(() => expression(text).evaluate(scopeOf))).to.contain(expected);
    });
  }

  it('wants true or false of a condition', async () => {
    expect(expression('cpus == 2').test(scope)).to.equal(true);
    const message = await mistakesIn(() => expression('name').test(scope));
    expect(message).to.contain('a condition must be true or false, this one is the text "node-1"');
    expect(message).to.contain('hint: compare it');
    expect(await mistakesIn(() => expression('nothing').test(scope))).to.contain('this one is null');
  });

  describe('on what check mode cannot know', () => {
    const unknown = { r: partlyKnown({ changed: true }, 'was not run'), yes: true };
    const decided: readonly (readonly [string, unknown])[] = [
      ['r.changed', true],
      ['!r.changed && r.rc == 0', false],
      ['r.rc == 0 && !r.changed', false],
      ['r.changed || r.rc == 0', true],
      ['r.rc == 0 || r.changed', true],
      ['yes ? 1 : r.rc', 1],
      ['[1, 2].exists(i, i == 2 || r.rc == 0)', true],
      ['has(r.changed)', true],
    ];
    for (const [text, expected] of decided) {
      it(`decides ${text}`, () => expect(expression(text).evaluate(unknown)).to.equal(expected));
    }
    const open = [
      'r.rc == 0',
      'r.rc == 0 && r.changed',
      'r.changed && r.rc == 0',
      '!r.changed || r.rc == 0',
      'r.rc == 0 || !r.changed',
      '!(r.rc == 0)',
      'has(r.rc)',
      'r.?rc.orValue(0)',
      'r["rc"]',
      'r.stdout.contains("x")',
      '[r.rc].size() == 1',
      '[1].all(i, r.rc == i)',
      '"rc" in r',
      'r.rc == 0 ? 1 : 2',
    ];
    for (const text of open) {
      it(`leaves ${text} open`, () => {
        expect(() => expression(text).evaluate(unknown)).to.throw(UnknownValueError, 'was not run');
        expect(() => expression(text).test(unknown)).to.throw(UnknownValueError, 'was not run');
      });
    }
    it('leaves a variable open that is made of one', () => {
      const scopeOf = createScope([unknown, new Map([['v', { ...expressionAsValue('r.rc') }]])]);
      expect(() => expression('v == 0').evaluate(scopeOf)).to.throw(UnknownValueError);
    });
  });

  it('passes a secret on', () => {
    expect(expression('password').evaluate(scope)).to.equal(scope.password);
    expect(expression('true ? password : ""').evaluate(scope)).to.equal(scope.password);
  });

  const ofSecrets: readonly (readonly [string, string])[] = [
    ['password + "!"', 'hunter2!'],
    ['"x" + password', 'xhunter2'],
    ['password + password', 'hunter2hunter2'],
    ['password.upperAscii()', 'HUNTER2'],
    ['"a-b".replace("-", password)', 'ahunter2b'],
    ['password.substring(0, 3)', 'hun'],
    ['password.split("t")[0]', 'hun'],
    ['string(password)', 'hunter2'],
  ];
  for (const [text, revealed] of ofSecrets) {
    it(`makes a secret of ${text}`, () => {
      const made = expression(text).evaluate(scope);
      expect(made).to.be.instanceOf(Secret);
      expect((made as Secret).reveal()).to.equal(revealed);
    });
  }

  const aboutSecrets: readonly (readonly [string, unknown])[] = [
    ['password == "hunter2"', true],
    ['"hunter2" == password', true],
    ['password != "hunter2"', false],
    ['password == password + ""', true],
    ['password > "h"', true],
    ['password.size()', 7],
    ['size(password)', 7],
    ['password.startsWith("hun")', true],
    ['"my hunter2".contains(password)', true],
    ['password.matches("^h.*2$")', true],
    ['int(password.substring(6)) + 1', 3],
    ['["a", "hunter2"].exists(x, x == password)', true],
    ['[[password]].filter(x, "hunter2" in x).size()', 1],
    ['password in ["a", "hunter2"]', true],
    ['password in ["a"]', false],
    ['password in [password + ""]', true],
    ['"hunter2" in ["a", password]', true],
    ['"hunter" in [password]', false],
    ['password in {"hunter2": 1}', true],
    ['password in {"a": password}', false],
    ['[1, [password, "x"]] == [1.0, ["hunter2", "x"]]', true],
    ['[password] == ["hunter2", "x"]', false],
    ['{"a": password} == {"a": "hunter2"}', true],
    ['{"a": password} != {"a": "hunter2"}', false],
    ['{"a": password} == {"b": "hunter2"}', false],
    ['password == null', false],
  ];
  for (const [text, expected] of aboutSecrets) {
    it(`answers in the open: ${text}`, () => {
      expect(expression(text).evaluate(scope)).to.equal(expected);
    });
  }

  it('leaves lazy parts of a result unread', () => {
    const lazy = Object.defineProperty({}, 'x', { enumerable: true, get: () => expect.fail('was read') });
    expect(expression('v').evaluate({ v: lazy })).to.equal(lazy);
  });

  it('says which variables it reads', () => {
    const paths = (text: string) => expression(text).references.map((r) => r.path.join('.'));
    expect(paths('a.b["c"].d == e[f] && has(g.h)')).to.deep.equal(['a.b.c.d', 'e', 'f', 'g']);
    expect(paths('rows.exists(r, r.n == s) || q.?x.orValue(1) == 1')).to.deep.equal(['rows', 's', 'q']);
    expect(paths('cel.bind(x, y, x + z) > 1')).to.deep.equal(['y', 'z']);
  });
});

function expressionAsValue(text: string) {
  const compiled = expression(text);
  return { range: compiled.range, isLiteral: false, references: [], written: text, render: compiled.evaluate };
}

describe('versions', () => {
  const order: readonly (readonly [string, string, number])[] = [
    ['1.10', '1.9', 1],
    ['v1.6', '1.6.0', 0],
    ['1.6.20', '1.7', -1],
    ['1.6.0-rc.1', '1.6.0', -1],
    ['1.6.0-rc.2', '1.6.0-rc.10', -1],
    ['1.6.0-beta.1', '1.6.0-rc.0', -1],
    ['2.0~rc1', '2.0', -1],
    ['6.1.0-18-amd64', '6.1', 0],
    ['5:20.10.24~ds1', '20.10.24', 0],
    ['', '0', 0],
  ];
  for (const [a, b, expected] of order) {
    it(`${a || 'nothing'} against ${b} is ${expected}`, () => {
      expect(compareVersions(a, b)).to.equal(expected);
      expect(compareVersions(b, a)).to.equal(-expected || 0);
    });
  }
});

import { expect } from 'chai';
import { formatDiagnostic } from '../../engine/base/diagnostic.ts';
import { placeInScalar } from '../../engine/language/place.ts';
import { entryOf, parseYaml, type YamlNode } from '../../engine/language/yaml.ts';

const parse = (text: string) => parseYaml({ path: 'a.yaml', text });
const mistakes = (text: string) =>
  parse(text).diagnostics.map((d) => formatDiagnostic(d).replace(/\n {2}\d+ \|.*\n.*\^/, ''));

/** The node as plain data. */
function data(node: YamlNode | undefined): unknown {
  if (!node) return undefined;
  if (node.kind === 'list') return node.items.map(data);
  if (node.kind === 'map') return Object.fromEntries(node.entries.map((e) => [e.key, data(e.value)]));
  return node.isExpression ? { expr: node.value } : node.value;
}

describe('YAML', () => {
  const read: readonly (readonly [string, unknown])[] = [
    ['a: 1\nb: [x, true, null, 1.5, ~]', { a: 1, b: ['x', true, null, 1.5, null] }],
    ['yes: no\non: 0644\n1: 0x10', { yes: 'no', on: 644, 1: 16 }],
    ['a: !expr "x == 1"\nb: !expr x', { a: { expr: 'x == 1' }, b: { expr: 'x' } }],
    ['a: &x {k: 1}\nb: *x', { a: { k: 1 }, b: { k: 1 } }],
    ['base: &b {k: 1, l: 2}\na:\n  <<: *b\n  l: 3', { base: { k: 1, l: 2 }, a: { l: 3, k: 1 } }],
    ['- &a {k: 1}\n- &b {k: 2, m: 3}\n- <<: [*a, *b]', [{ k: 1 }, { k: 2, m: 3 }, { k: 1, m: 3 }]],
    ['a: !!str 5', { a: '5' }],
    ['a: |\n  x\n  y\nb: >\n  x\n  y', { a: 'x\ny\n', b: 'x y\n' }],
    ['---\na: 1', { a: 1 }],
    ['# nothing', undefined],
    ['\uFEFF- a: 1\r\n  b: 2\r\n', [{ a: 1, b: 2 }]],
  ];
  for (const [text, expected] of read) {
    it(`reads ${JSON.stringify(text)}`, () => {
      expect(mistakes(text)).to.deep.equal([]);
      expect(data(parse(text).root)).to.deep.equal(expected);
    });
  }

  const wrong: readonly (readonly [string, string])[] = [
    ['a: 1\nb: 2\na: 3', 'a.yaml:3:1: error: "a" stands twice in the same map\n  hint: the first is in line 1'],
    [
      'a: !vault |\n  $ANSIBLE_VAULT',
      'a.yaml:1:11: error: this value cannot be read: encrypted values cannot be read in this file',
    ],
    ['a: 1\n---\nb: 2', 'a.yaml:2:1: error: a file holds one YAML document\n  hint: remove the second "---"'],
    ['a: caf\uFFFD', 'a.yaml:1:7: error: this is not UTF-8\n  hint: save the file as UTF-8'],
    ['a: !secret x', 'a.yaml:1:12: error: unknown tag !secret\n  hint: the only tags are !expr and !vault'],
    ['a: !!binary eA==', 'a.yaml:1:13: error: unknown tag !!binary\n  hint: the only tags are !expr and !vault'],
    ['a: *x', 'a.yaml:1:4: error: no anchor &x before this alias'],
    ['a: &x [*x]', 'a.yaml:1:8: error: the alias *x stands inside its own anchor'],
    ['{a: 1}: b', 'a.yaml:1:1: error: a key must be a text'],
    [
      'a: {{ b }}',
      'a.yaml:1:5: error: a key must be a text\n  hint: a value that starts with {{ must be put in quotes: "{{ name }}"',
    ],
    ['when: {{ b }}', 'a.yaml:1:8: error: a key must be a text\n  hint: an expression is written without {{ }}'],
    ['__proto__: 1', 'a.yaml:1:1: error: "__proto__" cannot be a key'],
    ['a: <<\n<<: x', 'a.yaml:2:5: error: << takes a map or a list of maps'],
    ['%YAML 1.1\n---\na: 1', 'a.yaml:1:1: error: YAML 1.1 is not supported\n  hint: remove the %YAML line'],
    ['['.repeat(300), 'a.yaml:1:1: error: the file is nested too deeply'],
    [
      'a: [1',
      'a.yaml:1:6: error: not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    [
      'a:\n\tb: 1',
      'a.yaml:2:1: error: not valid YAML: tabs are not allowed as indentation\n  hint: indent with spaces',
    ],
  ];
  for (const [text, expected] of wrong) {
    it(`refuses ${JSON.stringify(text.slice(0, 30))}`, () => expect(mistakes(text)).to.include(expected));
  }

  it('tells the first of the mistakes that follow from each other', () => {
    expect(parse('- a:\n    - b: c\n\td: { e: f }\n').diagnostics.map((d) => [d.message, d.hint])).to.deep.equal([
      ['not valid YAML: unexpected scalar at node end', 'indent with spaces'],
    ]);
    expect(parse('a: { b: "c }\n').diagnostics.map((d) => d.message)).to.deep.equal([
      'not valid YAML: missing closing "quote',
    ]);
  });

  it('survives aliases that expand without end', () => {
    const lines = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(',')}]`);
    expect(mistakes(['a0: &a0 [x]', ...lines].join('\n'))).to.match(/expand to more than can be read/);
  });
});

describe('places inside scalars', () => {
  /** Where `needle` is found by way of the scalar's value: the source text that the place covers. */
  function covered(yaml: string, needle: string): string {
    const { root } = parse(yaml);
    const node = root?.kind === 'map' ? entryOf(root, 'a')?.value : undefined;
    if (node?.kind !== 'scalar') throw new Error('no scalar');
    const start = String(node.value).indexOf(needle);
    const range = placeInScalar(node.range, String(node.value))(start, start + needle.length);
    return yaml.slice(range.start, range.end);
  }

  const exact: readonly (readonly [string, string])[] = [
    ['a: one {{ x }} two', '{{ x }}'],
    ['a: "one {{ x }}"', 'x'],
    ["a: 'one {{ x }}'", 'x'],
    ['a: "say \\"hi\\" {{ x }}"', '{{ x }}'],
    ["a: 'it''s {{ x }}'", '{{ x }}'],
    ['a: |\n  line\n    {{ x }}\n  end', '{{ x }}'],
    ['a: |-\n\n  {{ x }}', '{{ x }}'],
    ['a: >\n  folded\n  {{ x }}\n\n  {{ y }}', '{{ y }}'],
    ['a: plain\n  on two {{ x }}', '{{ x }}'],
    ['a: "😀 {{ x }}"', '{{ x }}'],
    ['a: "tab\\t{{ x }}"', '{{ x }}'],
  ];
  for (const [yaml, needle] of exact) {
    it(`finds ${needle} in ${JSON.stringify(yaml)}`, () => expect(covered(yaml, needle)).to.equal(needle));
  }

  it('gives the whole scalar where characters are escaped by number', () => {
    expect(covered('a: "\\u0041 {{ x }}"', '{{ x }}')).to.equal('"\\u0041 {{ x }}"');
  });
});

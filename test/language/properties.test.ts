import { expect } from 'chai';
import fc from 'fast-check';
import { DiagnosticsError, formatDiagnostic } from '../../engine/base/diagnostic.ts';
import { RunbookError } from '../../engine/base/errors.ts';
import { compileData } from '../../engine/language/compile.ts';
import { createScope } from '../../engine/language/scope.ts';
import { expression, load, value, whole } from './fakes.ts';

/** Text that looks enough like ours to get deep into the parsers. */
function textOf(tokens: readonly string[]): fc.Arbitrary<string> {
  const token = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...tokens) },
    { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
  );
  return fc.array(token, { maxLength: 25 }).map((parts) => parts.join(''));
}

const yamlish = textOf([
  ...[
    '- ',
    'hosts: all',
    'tasks:',
    'handlers:',
    'vars:',
    '\n',
    '\n  ',
    '\n    ',
    '\n      ',
    ' ',
    '  ',
    'copy:',
    'command: ',
  ],
  ...[
    '{',
    '}',
    '{{ x }}',
    '{{',
    '}}',
    '"',
    "'",
    ': ',
    ', ',
    'when: ',
    '!expr ',
    '&a ',
    '*a',
    '<<: ',
    '|\n',
    '>\n',
    '[',
    ']',
  ],
  ...[
    'block:',
    'lease:',
    'drain: ',
    'assert: {that: [',
    'import_tasks: play.yaml',
    'x',
    '1',
    'true',
    '#',
    '\\',
    '\t',
    '---',
    '!!str ',
    '%',
  ],
]);
const templateish = textOf([
  ...[
    '{{',
    '}}',
    '{{{',
    '}}}',
    '{{#if ',
    '{{#each ',
    '{{#with ',
    '{{else}}',
    '{{/if}}',
    '{{/each}}',
    '{{!',
    '--}}',
    '{{~',
    '~}}',
  ],
  ...[
    'x',
    'list',
    'map.a',
    'map',
    'this',
    '../',
    '@index',
    '@root',
    '(',
    ')',
    ' ',
    '"',
    "'",
    '|',
    'as |i|',
    'json ',
    'join ',
    'default ',
  ],
  ...[
    'constructor',
    '.__proto__',
    '[0]',
    '.',
    '/',
    '\\',
    '\n',
    '=',
    '1',
    'true',
    'null',
    '>',
    '*',
    '&',
    '{{> p}}',
    'lookup map "a"',
  ],
]);
const celish = textOf([
  ...[
    'x',
    'list',
    'map',
    'm',
    '.a',
    '["a"]',
    '[0]',
    '.?b',
    ' == ',
    ' && ',
    ' || ',
    '!',
    ' ? ',
    ' : ',
    '(',
    ')',
    '+',
    '-',
    '*',
    '/',
  ],
  ...[
    'has(m.a)',
    '.exists(i, i == 1)',
    '.size()',
    '.map(i, ',
    '"s"',
    "'",
    '1',
    '1.5',
    'true',
    'null',
    ' in ',
    ' ',
    '\n',
    '{',
    '}',
  ],
  ...[
    'constructor',
    '.__proto__',
    'type(',
    'string(',
    'duration(',
    'versionAtLeast(',
    'optional.of(',
    'cel.bind(',
    'b"x"',
    '1u',
    'r.rc',
  ],
]);
const data = { x: 1, list: [1, 2], map: { a: 'b' }, m: { a: 1 }, r: { rc: 0 } };

function onlyExpectedErrors(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    for (const { range } of error.diagnostics) {
      expect(range?.start).to.be.at.least(0);
      expect(range?.end).to.be.at.most((range?.source.text.length ?? 0) + 1);
    }
    // The excerpt can be made.
    error.diagnostics.map(formatDiagnostic);
  }
}

describe('whatever a user writes', () => {
  it('a playbook is read or explained', async () => {
    await fc.assert(
      fc.asyncProperty(yamlish, async (text) => {
        const outcome = await load(text).catch((error: unknown) => error);
        if (outcome instanceof Error)
          onlyExpectedErrors(() => {
            throw outcome;
          });
      }),
      { numRuns: 1500 },
    );
  });

  it('a template is rendered or explained', () => {
    fc.assert(
      fc.property(templateish, (text) => onlyExpectedErrors(() => value(text).render(data))),
      { numRuns: 3000 },
    );
  });

  it('an expression is evaluated or explained, to plain data', () => {
    fc.assert(
      fc.property(celish, (text) => {
        onlyExpectedErrors(() => {
          const result = expression(text).evaluate(data);
          expect(() => JSON.stringify(result)).to.not.throw();
          expect(result).to.not.be.a('function');
        });
      }),
      { numRuns: 3000 },
    );
  });

  it('inventory data is compiled or explained', () => {
    const anything = fc.anything({ values: [templateish, fc.integer(), fc.boolean(), fc.constant(null)], maxDepth: 3 });
    fc.assert(fc.property(anything, (given) => onlyExpectedErrors(() => compileData(given, whole('x')).render(data))));
  });
});

describe('whatever a host says', () => {
  const said = fc.oneof(fc.string(), templateish);

  it('it stays text in templates', () => {
    fc.assert(
      fc.property(said, (text) => {
        const scope = createScope([new Map([['v', value('{{ out }}')]]), { out: text, list: [text] }]);
        expect(value('{{ out }}').render(scope)).to.equal(text);
        expect(value('{{ v }}').render(scope)).to.equal(text);
        expect(value('<{{ out }}>').render(scope)).to.equal(`<${text}>`);
        expect(value('{{#each list}}{{this}}{{/each}}').render(scope)).to.equal(text);
      }),
    );
  });

  it('it stays text in expressions', () => {
    fc.assert(
      fc.property(said, (text) => {
        expect(expression('out').evaluate({ out: text })).to.equal(text);
        expect(expression('out == other').evaluate({ out: text, other: text })).to.equal(true);
      }),
    );
  });
});

describe('whatever path is asked for', () => {
  const inherited = [
    'constructor',
    '__proto__',
    'prototype',
    'toString',
    'valueOf',
    'hasOwnProperty',
    '__defineGetter__',
    'call',
  ];
  const path = fc.array(fc.constantFrom(...inherited), { minLength: 1, maxLength: 3 });

  it('nothing of JavaScript comes out', () => {
    fc.assert(
      fc.property(path, fc.constantFrom('', 'm.', 'list.', 'text.'), (names, owner) => {
        const scope = { m: {}, list: [], text: 'x' };
        const asked = `${owner}${names.join('.')}`;
        expect(() => value(`{{ ${asked} }}`).render(scope)).to.throw(DiagnosticsError);
        expect(() => expression(asked.replace('list.', 'm.')).evaluate(scope)).to.throw(RunbookError);
      }),
    );
  });
});
